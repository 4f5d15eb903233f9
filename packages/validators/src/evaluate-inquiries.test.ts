import type { ValidatorNode } from "@contingent/core/outcome-type";
import { describe, expect, test } from "vitest";
import { evaluate, type Evaluation } from "./evaluate.ts";
import type { Replies } from "./replies.ts";
import { runHere, type Subject } from "./validator.ts";

const person: ValidatorNode = { use: "human", options: { instructions: "Look.", sla_ms: 1_000, on_silence: "fail" } };
const good: ValidatorNode = { use: "fields_complete", options: { entities: "", required: ["a"] } };
const bad: ValidatorNode = { use: "fields_complete", options: { entities: "", required: ["b"] } };
const half: ValidatorNode = { use: "fields_complete", options: { entities: "", required: ["a", "b"] } };
const schema: ValidatorNode = { use: "json_schema", options: {} };
const subject: Subject = { input: {}, output: { a: 1 }, outputSchema: {} };
const thresholds = { successAt: 0.9, partialAt: 0.4 };

function said(...scores: readonly (readonly [leaf: string, score: number])[]): Replies {
  const findings = [{ path: "", code: "said", message: "So I say." }];
  return new Map(
    scores.map(([leaf, score]) => [
      leaf,
      { kind: "leaf", leaf, validator: "human@7", score, findings, durationMs: 90 },
    ]),
  );
}

const weighted = (check: number, human: number, of = good): ValidatorNode => ({
  weighted: [
    { weight: human, of: person },
    { weight: check, of },
  ],
});

/** `ask <leaf>` or the decision with its score. */
function inWords(found: Evaluation): string {
  if (found.kind === "inquire") return `ask ${found.leaf.path}`;
  return `${found.verdict.decision} ${found.verdict.score}`;
}

describe("a leaf that asks somebody", () => {
  test.each<[string, ValidatorNode, string]>([
    ["is asked once the checks have passed", { all: [person, good] }, "ask /all/0"],
    ["is not asked about an answer that a check has failed", { all: [person, bad] }, "fail 0"],
    ["is not asked where it could only make it less bad", weighted(0.7, 0.3, bad), "fail 0"],
    ["is asked where it could still make it partial", weighted(0.5, 0.5, bad), "ask /weighted/0/of"],
    ["is not asked where it is a success in any case", weighted(0.95, 0.05), "pass 0.95"],
    ["is not asked where it is partial in any case", weighted(0.875, 0.125, half), "partial 0.4375"],
    ["is not asked beside something as good as can be", { any: [person, good] }, "pass 1"],
    ["is not asked below a node that is decided", { all: [{ any: [good, person] }, person] }, "ask /all/1"],
    ["is asked whether it is what must not be", { not: person }, "ask /not"],
    ["comes after what needs a process", { all: [{ any: [person, schema] }, schema] }, "pass 1"],
  ])("%s", async (_, tree, expected) => {
    expect(inWords(await evaluate(tree, subject, thresholds, { run: runHere }))).toBe(expected);
  });

  test.each<[string, ValidatorNode, string]>([
    ["as long as the score is open", weighted(0.95, 0.05), "ask /weighted/0/of"],
    ["but not about an answer that failed", weighted(0.7, 0.3, bad), "fail 0"],
  ])("is asked where the price depends on the score, %s", async (_, tree, expected) => {
    expect(inWords(await evaluate(tree, subject, thresholds, { run: runHere, exact: true }))).toBe(expected);
  });

  test("is asked once: what was said is on record, in the words of its time", async () => {
    const found = await evaluate({ all: [person, good] }, subject, thresholds, {
      run: runHere,
      replies: said(["/all/0", 0.5]),
    });
    expect(found).toMatchObject({
      kind: "verdict",
      verdict: {
        decision: "partial",
        score: 0.5,
        findings: [{ code: "said" }],
        validators: ["fields_complete@1", "human@7"],
      },
    });
    expect(found.kind === "verdict" ? found.verdict.leaves[1] : null).toEqual({
      leaf: "/all/0",
      validator: "human@7",
      score: 0.5,
      durationMs: 90,
    });
  });

  test("is the next one when another has been answered, and only while that leaves room", async () => {
    const tree: ValidatorNode = { all: [person, person] };
    const after = async (score: number): Promise<string> =>
      inWords(await evaluate(tree, subject, thresholds, { run: runHere, replies: said(["/all/0", score]) }));
    expect(await after(1)).toBe("ask /all/1");
    expect(await after(0.95)).toBe("ask /all/1");
    expect(await after(0.1)).toBe("fail 0");
  });

  test("breaks the verdict when its reply on record is not sound", async () => {
    const replies = said(["", 7]);
    await expect(evaluate(person, subject, thresholds, { run: runHere, replies })).rejects.toThrow("not 0 to 1");
  });
});
