/** Hazard: the two outcomes that outcome pricing is always explained by cannot be had from the validators that there are. */
import type { Json } from "@contingent/core/json";
import { termsWith } from "@contingent/core/job/job.fixture";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { describe, expect, test } from "vitest";
import { verdictOf } from "./evaluate.ts";
import { judgeAnswer, type JudgedAnswer } from "./judge-answer.ts";
import { runHere } from "./validator.ts";

const SHAPE: ValidatorNode = { use: "json_schema", options: {} };

interface Sold {
  readonly validator: ValidatorNode;
  readonly outputSchema: { readonly [name: string]: Json };
  readonly features: Readonly<Record<string, string>>;
}

async function judged({ validator, outputSchema, features }: Sold, input: Json, output: Json): Promise<JudgedAnswer> {
  const version = {
    id: "otv_1",
    validator,
    outputSchema,
    features,
    terms: termsWith({ successAt: 0.9, partialAt: null }),
  } as const;
  return verdictOf(await judgeAnswer({ version, step: 0, input, text: JSON.stringify(output) }, runHere));
}

describe("data extraction: nine of ten entities are complete, and what is in them is weighed by evidence", () => {
  const extraction: Sold = {
    outputSchema: { type: "object", required: ["people"], properties: { people: { type: "array" } } },
    validator: {
      all: [
        SHAPE,
        { use: "fields_complete", options: { entities: "/people", required: ["name", "email"] } },
        {
          weighted: [
            { weight: 3, of: { use: "grounded", options: { fields: ["/people/*/name"], source: "/document" } } },
            { weight: 1, of: { use: "format", options: { fields: ["/people/*/email"], format: "email" } } },
          ],
        },
      ],
    },
    features: { confidence: "/confidence" },
  };
  const names = Array.from({ length: 20 }, (_, i) => `Person ${i + 1}`);
  const input = { document: names.map((name) => `${name} <p@example.com>`).join("\n") };

  /** @param complete how many of the twenty have their address; @param invented how many names no document has */
  const answer = (complete: number, { invented = 0, confidence = 0.5 } = {}): Json => ({
    confidence,
    people: names.map((name, i) => ({
      name: i < invented ? `Nobody ${i}` : name,
      email: i < complete ? "p@example.com" : null,
    })),
  });

  test.each([
    [20, "pass", 1],
    [18, "pass", 0.9],
    [17, "fail", 0.85],
  ])("%d of 20 are a %s", async (complete, decision, score) => {
    expect(await judged(extraction, input, answer(complete))).toMatchObject({ decision, score });
  });

  test("what is invented weighs by its share, and no confidence of the model's own makes up for it", async () => {
    expect(await judged(extraction, input, answer(20, { invented: 2 }))).toMatchObject({
      decision: "pass",
      score: 0.925,
    });
    expect(await judged(extraction, input, answer(20, { invented: 4, confidence: 0.99 }))).toMatchObject({
      decision: "fail",
      score: 0.85,
      features: { confidence: 0.99 },
    });
  });
});

describe("code generation: a structured answer that parses, with at least two test cases that it passes", () => {
  const generation: Sold = {
    outputSchema: { type: "object", required: ["code", "test_cases"] },
    validator: {
      all: [
        SHAPE,
        { use: "code_syntax", options: { language: "typescript", code: "/code", declares: "/name" } },
        { use: "test_cases", options: { cases: "/test_cases", min: 2 } },
        {
          use: "code_tests",
          options: { code: "/code", function: { input: "/name" }, own: { cases: "/test_cases", min: 2 } },
        },
      ],
    },
    features: {},
  };
  const code = "export function add(a: number, b: number): number { return a + b; }";
  const two = [
    { input: [1, 2], expected: 3 },
    { input: [2, 2], expected: 4 },
  ];

  test.each<[string, Json, string]>([
    ["what was ordered", { code, test_cases: two }, "pass"],
    ["prose", "Here is the function you asked for.", "fail"],
    ["code that does not parse", { code: code.replace("{", ""), test_cases: two }, "fail"],
    ["one test case", { code, test_cases: two.slice(1) }, "fail"],
    ["the same test case twice", { code, test_cases: [two[0] ?? null, two[0] ?? null] }, "fail"],
    ["test cases that it does not pass", { code: code.replace("+", "*"), test_cases: two }, "fail"],
  ])("%s", async (_, output, decision) => {
    expect((await judged(generation, { name: "add" }, output)).decision).toBe(decision);
  });
});
