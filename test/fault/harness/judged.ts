/** A type whose answers a model judges, once they hold otherwise. */
import type { Json } from "@contingent/core/json";
import { SONNET } from "../../e2e/support/sums.ts";

export const JUDGED: Json = {
  all: [
    { use: "arithmetic", options: { sums: [{ total: "/net", parts: ["/a", "/b"] }] } },
    {
      use: "llm_judge",
      options: { rubric: "The sums are right.", models: [SONNET], cost_max: "0.02", canaries: { rate: 0 } },
    },
  ],
};

/** How the judge's prompts begin that are about this type. */
export function judgeOf(type: string): string {
  return `The task is "${type}"`;
}
