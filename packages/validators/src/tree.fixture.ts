/** Leaves that score what a test says, without anything to judge. Tests only. */
import type { ValidatorNode } from "@contingent/core/outcome-type";
import type { Thresholds, Verdict } from "@contingent/core/verdict";
import { evaluate, verdictOf } from "./evaluate.ts";
import { finding } from "./finding.ts";
import type { RunCheck, Subject } from "./validator.ts";

/** A leaf that is checked in this process. It scores in steps of a quarter. */
export function inline(score: number, name = "field"): ValidatorNode {
  const required = [1, 2, 3, 4].map((part) => `${name}${part <= 4 * score ? "" : "-missing"}-${part}`);
  return { use: "fields_complete", options: { entities: "", required } };
}

/** What leaves of these names are complete in: every field but those that are to be missing. */
export function outputFor(...names: readonly string[]): Subject {
  const fields = names.flatMap((name) => [1, 2, 3, 4].map((part) => [`${name}-${part}`, "here"] as const));
  return { input: {}, output: Object.fromEntries(fields), outputSchema: {} };
}

/** A leaf that needs the sandbox. */
export function sandboxed(score: number, name = "sandboxed"): ValidatorNode {
  return { use: "json_schema", options: { name, score } };
}

/** A sandbox that gives each leaf its score, and tells which ones it was asked for. */
export function scripted(): { readonly run: RunCheck; readonly ran: readonly string[] } {
  const ran: string[] = [];
  return {
    ran,
    run: async (_, __, options) => {
      const { name, score } = options as { readonly name: string; readonly score: number };
      ran.push(name);
      return { score, findings: [finding("", name, "It is as the test says.")] };
    },
  };
}

/** The verdict of a tree that asks nobody. */
export async function verdictBy(
  tree: ValidatorNode,
  subject: Subject,
  thresholds: Thresholds,
  run: RunCheck,
): Promise<Verdict> {
  return verdictOf(await evaluate(tree, subject, thresholds, { run }));
}
