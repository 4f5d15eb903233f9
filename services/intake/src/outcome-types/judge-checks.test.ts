import type { Json, JsonObject } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { AROUND, GOOD, problemsOf } from "./resolve.fixture.ts";
import { resolveDefinition } from "./resolve.ts";

const judge = (changes: JsonObject = {}): Json => ({
  use: "llm_judge",
  options: {
    rubric: "It is right.",
    models: ["claude-opus-5-5"],
    output_tokens_max: 200,
    cost_max: "0.01",
    ...changes,
  },
});
const check: Json = { use: "fields_complete", options: { entities: "/parties", required: ["name"] } };
const shape: Json = { use: "json_schema", options: {} };

const withJudge = (changes: JsonObject = {}): readonly string[] =>
  problemsOf({ validator: { all: [check, judge(changes)] } });

test("a judge of another family beside a check is fine", () => {
  expect(withJudge()).toEqual([]);
});

describe("the models of a judge", () => {
  test("must be there, and have a price", () => {
    expect(withJudge({ models: ["claude-opus-5-5", "claude-opus-9"] })).toEqual([
      '/validator/all/1/options/models/1: there is no model "claude-opus-9" in the catalog',
    ]);
  });

  test("must be able to judge every model of the cascade", () => {
    // The cascade is fast and standard: each of the two may judge the other's answers, neither its own.
    expect(withJudge({ models: ["claude-sonnet-5-5", "claude-haiku-5-5"] })).toEqual([]);
    expect(withJudge({ models: ["claude-sonnet-5-5"] })).toEqual([
      "/validator/all/1/options/models: has no model of another family or tier than claude-sonnet-5-5, claude-sonnet-5, whose answers could not be judged",
    ]);
    expect(withJudge({ models: ["claude-haiku-4-5"] })).toHaveLength(1);
  });

  test("must not be suspended as judges of this type", () => {
    const definition = { ...GOOD, validator: { all: [check, judge()] } };
    const resolution = resolveDefinition(definition, { ...AROUND, suspendedJudges: ["claude-opus-5-5"] });
    expect(resolution).toMatchObject({
      ok: false,
      problems: [
        { param: "/validator/all/1/options/models/0", message: expect.stringContaining("is suspended") as string },
      ],
    });
  });
});

describe("a tree that judges alone could bring to a bill is refused", () => {
  test.each<readonly [string, Json]>([
    ["a judge", judge()],
    ["a judge and a shape", { all: [shape, judge()] }],
    ["a judge or a check", { any: [check, judge()] }],
    [
      "a check that a judge outweighs",
      {
        weighted: [
          { weight: 9, of: judge() },
          { weight: 1, of: check },
        ],
        threshold: 0.9,
      },
    ],
    [
      "a judge and a customer who may say nothing",
      {
        all: [
          judge(),
          { use: "customer_acceptance", options: { mode: "window", duration_ms: 60_000, on_silence: "accept" } },
        ],
      },
    ],
    ["two judges", { all: [judge(), judge({ rubric: "It is polite." })] }],
    ["not what a judge finds", { not: judge() }],
    ["a check whose failure is another way to pass", { any: [{ not: judge() }, check] }],
  ])("%s", (_, validator) => {
    expect(problemsOf({ validator })).toEqual([
      expect.stringMatching(/^\/validator: could pass on the word of a judge/),
    ]);
    expect(problemsOf({ validator, judge_alone: true })).toEqual([]);
  });

  test("and so is one that could come to a partial outcome", () => {
    const validator: Json = {
      weighted: [
        { weight: 1, of: judge() },
        { weight: 1, of: check },
      ],
    };
    const price = {
      shape: "tiered",
      amount: "0.04",
      bands: [
        { from_score: 0.5, fraction: 0.5 },
        { from_score: 1, fraction: 1 },
      ],
    };
    expect(problemsOf({ validator, price })).toEqual([]);
    expect(problemsOf({ validator, price, partial_at: 0.5 })).toHaveLength(1);
  });

  test.each<readonly [string, Json]>([
    ["a check that must pass too", { all: [check, judge()] }],
    ["a check that must fail too", { all: [{ not: check }, judge()] }],
    ["a check in every way to pass", { any: [{ all: [judge(), check] }, check] }],
    [
      "a check that a judge cannot outweigh",
      {
        weighted: [
          { weight: 1, of: judge() },
          { weight: 1, of: check },
        ],
      },
    ],
  ])("but not %s", (_, validator) => {
    expect(problemsOf({ validator })).toEqual([]);
  });
});

describe("what a judgement may cost", () => {
  // 200 tokens of the judge's output cost 0.004.
  test.each([
    [{ cost_max: "0.008" }, { cost_max: "0.007999999" }, "one vote and one on a known-bad answer: .* 0.008"],
    [{ cost_max: "0.004", canaries: { rate: 0 } }, { cost_max: "0.003", canaries: { rate: 0 } }, "one vote: .* 0.004"],
    [
      { cost_max: "0.016", votes: 3 },
      { cost_max: "0.01", votes: 3 },
      "3 votes and one on a known-bad answer: .* 0.016",
    ],
    [{ models: ["claude-haiku-5-5", "claude-sonnet-5-5"] }, { output_tokens_max: 300 }, "one vote and .* 0.012"],
  ])("pays for the votes and for watching: %j, not %j", (enough, tooLittle, what) => {
    expect(withJudge(enough)).toEqual([]);
    expect(withJudge(tooLittle)).toEqual([
      expect.stringMatching(new RegExp(`^/validator/all/1/options/cost_max: .* does not pay for ${what}\\.`)),
    ]);
  });
});

test("what judgements may cost must leave room for an attempt under the cost cap", () => {
  expect(withJudge({ cost_max: "0.079" })).toEqual([]);
  expect(withJudge({ cost_max: "0.08" })).toEqual([
    expect.stringMatching(/^\/cost_cap: is too low.*or what its inquiries may cost$/),
  ]);
});

test("options that cannot be read are the tree's problem, and no judge's", () => {
  expect(withJudge({ votes: 2 })).toEqual([expect.stringMatching(/^\/validator\/all\/1\/options\/votes: /)]);
});
