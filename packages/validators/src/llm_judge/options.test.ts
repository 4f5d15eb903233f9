import type { Json } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { judgeOptions } from "./options.ts";

describe("options", () => {
  const problems = (changes: { readonly [name: string]: Json }): readonly string[] => {
    const given = { rubric: "It is right.", models: ["claude-sonnet-5-5"], cost_max: "0.01", ...changes };
    const parsed = judgeOptions.safeParse(given);
    return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("/"));
  };

  test("have defaults, and a rubric may be one text", () => {
    expect(problems({})).toEqual([]);
    expect(judgeOptions.parse({ rubric: "It is right.", models: ["m"], cost_max: "0.01" })).toMatchObject({
      rubric: [{ criterion: "It is right.", weight: 1 }],
      votes: 1,
      pass_at: 1,
      include_input: true,
      canaries: { rate: 0.05, limit: 0.2, answers: [] },
    });
  });

  test.each([
    [{ votes: 2 }, "votes"],
    [{ votes: 9 }, "votes"],
    [{ cost_max: "0" }, "cost_max"],
    [{ cost_max: "a lot" }, "cost_max"],
    [{ models: [] }, "models"],
    [{ pass_at: 0 }, "pass_at"],
    [{ canaries: { rate: 2 } }, "canaries/rate"],
    [{ canaries: { limit: 1 } }, "canaries/limit"],
  ])("are refused with their place: %j", (changes, at) => {
    expect(problems(changes)).toEqual([at]);
  });
});
