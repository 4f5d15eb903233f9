import { canonicalJson, type Json } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import type { AskableModel } from "../inquiry.ts";
import { CALL_COST, judging, question, saying, sayingOf, sitting } from "./llm_judge.fixture.ts";
import { llmJudge } from "./llm_judge.ts";

describe("a known-bad answer", () => {
  const always = judging({ votes: 3, canaries: { rate: 1, limit: 0.1 } });
  /** An honest judge of this one answer. */
  const real = canonicalJson(question().output);
  const knows = (user: string): boolean => user.split("\n").some((line) => line.startsWith("{") && sameAsReal(line));
  const sameAsReal = (line: string): boolean => canonicalJson(JSON.parse(line) as Json) === real;

  test("comes along with the real one, and a judge that knows better is on record for it", async () => {
    const { means, calls } = sitting((call) => saying(knows(call.user), call));
    const reply = await llmJudge.ask(question(), always, means);
    expect(calls).toHaveLength(6);
    expect(reply).toMatchObject({
      result: { score: 1 },
      cost: CALL_COST * 6n,
      detail: { canary: { passed: false, limit: 0.1 } },
    });
    expect(calls.filter(({ user }) => knows(user))).toHaveLength(3);
  });

  test("is caught by a judge that finds fault with a part of it", async () => {
    const { means } = sitting((call) => (knows(call.user) ? saying(true, call) : sayingOf(call, "number")));
    expect(await llmJudge.ask(question(), always, means)).toMatchObject({ detail: { canary: { passed: false } } });
  });

  test("is let through where the score that it got would have been billed", async () => {
    const { means } = sitting((call) => (knows(call.user) ? saying(true, call) : sayingOf(call, "number")));
    const letThroughFrom = async (deliversFrom: number): Promise<unknown> => {
      const outcomeType = { ...question().outcomeType, deliversFrom };
      return await llmJudge.ask(question({ outcomeType }), always, means);
    };
    expect(await letThroughFrom(0.25)).toMatchObject({ detail: { canary: { passed: true } } });
    expect(await letThroughFrom(0.26)).toMatchObject({ detail: { canary: { passed: false } } });
  });

  test("that is longer than the real one has its own size counted", async () => {
    const { means } = sitting((call) => saying(true, call));
    const long = judging({ canaries: { rate: 1, answers: ["not this ".repeat(1_000)] } });
    const bySize = {
      ...means.model(""),
      inputTokensAtMost: ({ user }: { user: string }) => user.length,
    } as AskableModel;
    const plan = await llmJudge.plan(question(), long, { ...means, model: () => bySize });
    // Two votes and a spare one, each of 9,000 tokens and more.
    expect(plan.reserve).toBeGreaterThan(3n * (9_000_000n + 10_000_000n));
  });

  test("is let through by a judge that lets everything through", async () => {
    const { means } = sitting((call) => saying(true, call));
    expect(await llmJudge.ask(question(), always, means)).toMatchObject({ detail: { canary: { passed: true } } });
  });

  test("never costs the real answer a vote, and stays within what one judgement may cost", async () => {
    const votesAt = async (costMax: string): Promise<readonly [number, number]> => {
      const { means, calls } = sitting((call) => saying(true, call));
      const options = { ...always, cost_max: costMax };
      const { reserve } = await llmJudge.plan(question(), options, means);
      expect(reserve).toBeLessThanOrEqual(llmJudge.costMax(options));
      await llmJudge.ask(question(), options, means);
      const ofReal = calls.filter(({ user }) => knows(user)).length;
      return [ofReal, calls.length - ofReal];
    };
    expect(await votesAt("0.066")).toEqual([3, 3]);
    expect(await votesAt("0.065")).toEqual([3, 1]);
    expect(await votesAt("0.044")).toEqual([3, 1]);
    expect(await votesAt("0.033")).toEqual([3, 0]);
    expect(await votesAt("0.022")).toEqual([1, 1]);
  });

  test("that the judge gave no readable vote on is not counted, and does not touch the verdict", async () => {
    const { means } = sitting((call) => (knows(call.user) ? saying(true, call) : "?"));
    const reply = await llmJudge.ask(question(), always, means);
    expect(reply).toMatchObject({ kind: "answered", result: { score: 1 } });
    expect(reply).not.toHaveProperty("detail.canary");
  });

  test("comes along as often as the options say", async () => {
    const options = judging({ canaries: { rate: 0.25 } });
    const { means } = sitting((call) => saying(true, call));
    const replies = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => llmJudge.ask(question({ seed: `s${i}` }), options, means)),
    );
    const carried = replies.filter(
      (reply) => "detail" in reply && JSON.stringify(reply.detail).includes("canary"),
    ).length;
    expect(carried / 400).toBeGreaterThan(0.18);
    expect(carried / 400).toBeLessThan(0.32);
  });
});
