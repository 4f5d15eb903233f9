import { parseMoney } from "@contingent/core/money";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ValidatorError } from "../validator.ts";
import {
  answered,
  CALL_COST,
  failing,
  judging,
  question,
  saying,
  sayingOf,
  sitting,
  USAGE,
} from "./llm_judge.fixture.ts";
import { llmJudge } from "./llm_judge.ts";

describe("before anything is asked", () => {
  test("the judge is the first of the models that is of another family or tier than the producer", async () => {
    const { means } = sitting(() => "");
    const models = ["claude-haiku-5-5", "claude-haiku-4-5", "claude-not-priced-1", "claude-sonnet-5-5"];
    const plan = await llmJudge.plan(question(), judging({ models }), means);
    expect(plan.payee).toEqual({ provider: "anthropic", name: "claude-sonnet-5-5" });
  });

  test("nobody judges a relative of its own strength: that is an error and no verdict", async () => {
    const { means, calls } = sitting(() => "");
    const asked = question({ producer: { provider: "anthropic", model: "claude-sonnet-5", tier: "standard" } });
    await expect(llmJudge.plan(asked, judging(), means)).rejects.toThrow(ValidatorError);
    expect(await llmJudge.ask(asked, judging(), means)).toMatchObject({ kind: "broke", cost: 0n });
    expect(calls).toEqual([]);
  });

  test("a producer's tier is the one that the catalog has its model in, wherever the cascade put it", async () => {
    const { means } = sitting(() => "");
    const asked = question({ producer: { provider: "anthropic", model: "claude-sonnet-5", tier: "fast" } });
    await expect(llmJudge.plan(asked, judging(), means)).rejects.toThrow(/none of the judges/);
  });

  test("a suspended judge is not asked", async () => {
    const { means, calls } = sitting((call) => saying(true, call), { suspended: true });
    await expect(llmJudge.plan(question(), judging(), means)).rejects.toThrow(/suspended/);
    expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "broke", cost: 0n });
    expect(calls).toEqual([]);
  });

  test.each([
    // A vote costs 0.011 at most: 1,000 tokens in, 1,000 out. Three and a spare one fit 0.044.
    ["1", 3, "0.044"],
    ["0.044", 3, "0.044"],
    ["0.033", 3, "0.033"],
    ["0.032", 1, "0.022"],
    ["0.011", 1, "0.011"],
  ])("with %s to spend there are %i votes, and %s is held", async (costMax, votes, reserve) => {
    const { means, calls } = sitting((call) => saying(true, call));
    const options = judging({ votes: 3, cost_max: costMax });
    expect((await llmJudge.plan(question(), options, means)).reserve).toBe(parseMoney(reserve));
    await llmJudge.ask(question(), options, means);
    expect(calls).toHaveLength(votes);
  });

  test("less than one vote is an error", async () => {
    const { means } = sitting(() => "");
    await expect(llmJudge.plan(question(), judging({ cost_max: "0.0109" }), means)).rejects.toThrow(/does not pay/);
  });

  test("an answer without content fails at no cost, whoever would have judged it", async () => {
    const { means, calls } = sitting((call) => saying(true, call), { suspended: true });
    const hollow = question({ output: { summary: "Thought process:" } });
    expect((await llmJudge.plan(hollow, judging(), means)).reserve).toBe(0n);
    expect(await llmJudge.ask(hollow, judging(), means)).toMatchObject({
      kind: "answered",
      cost: 0n,
      result: { score: 0, findings: [{ code: "hollow_answer" }] },
    });
    expect(calls).toEqual([]);
  });
});

describe("a judgement", () => {
  test("is what the majority of the votes says of each criterion, by weight, at the price of the calls", async () => {
    const { means } = sitting((call, n) => (n === 1 ? sayingOf(call, "number") : saying(true, call)));
    const reply = await llmJudge.ask(question(), judging({ votes: 3 }), means);
    expect(reply).toMatchObject({
      kind: "answered",
      result: { score: 1, findings: [] },
      cost: CALL_COST * 3n,
      detail: { met_votes: [3, 2], model: "claude-sonnet-5-5" },
    });
  });

  test("names what is not met, with the judge's reason on one line", async () => {
    const { means } = sitting((call) =>
      sayingOf(call, "number").replaceAll("See there.", "It is 25.\\n- and ignore this"),
    );
    const reply = await llmJudge.ask(question(), judging(), means);
    expect(reply).toMatchObject({
      result: {
        score: 0.25,
        findings: [
          {
            path: "",
            code: "criterion_not_met",
            message: "Not met: The total is right.",
            hint: "It is 25. - and ignore this",
          },
        ],
      },
    });
  });

  test("by another rubric is none", () => {
    const judgement = { votes: [{ met: [true], reasons: [""] }] };
    expect(() => llmJudge.read(judgement, judging())).toThrow(ValidatorError);
    expect(() => llmJudge.read({ hollow: "empty_answer" }, judging())).toThrow(ValidatorError);
  });

  test("can be told again from what was recorded", async () => {
    const { means } = sitting((call) => sayingOf(call, "total"));
    const reply = await llmJudge.ask(question(), judging({ votes: 3 }), means);
    if (reply.kind !== "answered") throw new Error("no answer");
    expect(llmJudge.read(reply.detail, judging({ votes: 3 }))).toEqual(reply.result);
  });

  test("of text that is not what was asked for is none: asked once more, then broken, never a pass", async () => {
    const garbage = [
      "",
      "verdict: pass",
      '{"verdict": "pass"}',
      "```json\n{}\n```",
      "{}",
      '{"c1": {"reason": "", "met": true}}',
      '{"c1": {"reason": "", "met": true}, "c2": {"reason": "", "met": "true"}}',
      '{"c1": {"reason": "", "met": true}, "c2": {"reason": "", "met": true}, "score": 1}',
      '{"c1": true, "c2": true}',
    ];
    for (const text of garbage) {
      const { means, calls } = sitting(() => text);
      expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "broke", cost: CALL_COST * 2n });
      expect(calls).toHaveLength(2);
    }
  });

  test("counts when the second try can be read", async () => {
    const { means } = sitting((call, n) => (n === 0 ? "Certainly!" : saying(true, call)));
    expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "answered", cost: CALL_COST * 2n });
  });

  test("that was cut off or refused is none, even if it could be read", async () => {
    for (const stop of ["truncated", "refused"] as const) {
      const { means } = sitting((call) => answered(saying(true, call), { stop }));
      expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "broke" });
    }
  });

  test("that was lost on the way has cost nobody knows what, and is not asked for again", async () => {
    for (const kind of ["timeout", "unavailable"] as const) {
      const { means, calls } = sitting(() => failing({ kind, mayHaveBeenBilled: true }));
      expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "broke", cost: null });
      expect(calls).toHaveLength(1);
    }
  });

  test("that was not begun is waited for: a provider's bad minute is no reason to trouble a person", async () => {
    const { means, waits } = sitting((call, n) => (n < 3 ? failing() : saying(true, call)));
    expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "answered", cost: CALL_COST });
    expect(waits).toEqual([1_000, 2_000, 4_000]);
  });

  test("is asked for again when the provider says so, within bounds", async () => {
    const slowDown = (ms: number) => failing({ kind: "rate_limited", retryAfterMs: ms });
    const { means, waits } = sitting((call, n) => (n < 2 ? slowDown(n === 0 ? 7_000 : 600_000) : saying(true, call)));
    expect((await llmJudge.ask(question(), judging(), means)).kind).toBe("answered");
    expect(waits).toEqual([7_000, 30_000]);
  });

  test("that is never begun is given up, and is free", async () => {
    const { means, calls } = sitting(() => failing());
    expect(await llmJudge.ask(question(), judging({ cost_max: "0.011" }), means)).toMatchObject({
      kind: "broke",
      cost: 0n,
    });
    expect(calls).toHaveLength(6);
  });

  test("that was rejected is not asked for again", async () => {
    const { means, calls } = sitting(() => failing({ kind: "rejected" }));
    expect(await llmJudge.ask(question(), judging({ cost_max: "0.011" }), means)).toMatchObject({
      kind: "broke",
      cost: 0n,
    });
    expect(calls).toHaveLength(1);
  });

  test("whose usage has no price has an unknown cost", async () => {
    const { means } = sitting((call) => answered(saying(false, call), { usage: { ...USAGE, cacheReadTokens: 5 } }));
    // Answered all the same: what cannot be priced counts at its worst.
    expect(await llmJudge.ask(question(), judging(), means)).toMatchObject({ kind: "answered", cost: 11_000_000n });
  });

  test("is never better than what the votes say, whatever a judge writes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        const { means } = sitting(() => text);
        expect((await llmJudge.ask(question(), judging(), means)).kind).toBe("broke");
      }),
    );
  });
});
