import type { Json } from "@contingent/core/json";
import { nanos } from "@contingent/core/money";
import { describe, expect, test } from "vitest";
import { problemsOf, termsOf } from "./resolve.fixture.ts";

const person = (slaMs: number, perReview?: string): Json => ({
  use: "human",
  options: {
    instructions: "Is it right?",
    sla_ms: slaMs,
    on_silence: "fail",
    ...(perReview === undefined ? {} : { cost: { provider: "reviewers", name: "review", per_review: perReview } }),
  },
});
const judge: Json = {
  use: "llm_judge",
  options: { rubric: "It is right.", models: ["claude-opus-5-5"], output_tokens_max: 200, cost_max: "0.01" },
};
const check: Json = { use: "fields_complete", options: { entities: "/parties", required: ["name"] } };

describe("what asking may cost", () => {
  test("is pinned with the terms: the sum over the tree", () => {
    const validator = { all: [check, judge, person(60_000, "0.02"), { any: [person(60_000, "0.01"), check] }] };
    expect(termsOf({ validator }).inquiryReserve).toBe(nanos(40_000_000n));
    expect(termsOf({ validator: check }).inquiryReserve).toBe(0n);
  });

  test("must leave room in the cap for an attempt", () => {
    const validator = { all: [check, person(60_000, "0.0799")] };
    expect(problemsOf({ validator })).toEqual([
      expect.stringMatching(
        /^\/cost_cap: is too low for any attempt: .*verdict on them 0\.0799.*what its inquiries may cost/,
      ),
    ]);
    expect(problemsOf({ validator: { all: [check, person(60_000, "0.07")] } })).toEqual([]);
  });
});

describe("the time that a person is given", () => {
  // The deadline is 120 s, and an attempt on the first tier needs 2 s.
  test.each([117_999, 1_000])("may be %d ms where that is left after an attempt", (slaMs) => {
    expect(problemsOf({ validator: { all: [check, person(slaMs)] } })).toEqual([]);
  });

  test.each([118_000, 120_000, 3_600_000])("may not be %d ms, which the deadline does not leave", (slaMs) => {
    expect(problemsOf({ validator: { all: [check, person(slaMs)] } })).toEqual([
      expect.stringMatching(/^\/validator\/all\/1\/options: gives \d+ ms for a reply.*less than 118000 ms/),
    ]);
  });

  test("binds no model, which answers in seconds or not at all", () => {
    expect(problemsOf({ validator: { all: [check, judge] }, deadline_ms: 30_000 })).toEqual([]);
  });
});
