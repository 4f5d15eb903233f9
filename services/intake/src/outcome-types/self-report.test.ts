import type { Json, JsonObject } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { contentOf, problemsOf } from "./resolve.fixture.ts";

const CURRENCY = (at: string): Json => ({ use: "format", options: { fields: [at], format: "currency" } });
const FEATURES = { confidence: "/certainty/of_total" };
const SCHEMA = {
  type: "object",
  properties: { certainty: { type: "object", properties: { of_total: { type: "number" } } } },
};

describe("no verdict rests on what the model says of itself", () => {
  test.each([
    "/confidence",
    "/items/*/confidence",
    "/totalConfidence",
    "/confidence_in_total",
    "/is_certain",
    "/score",
    "/scores/0/overall_score",
    "/scores/0",
    "/meta/certainties/confidences/*",
    "/quality",
    "/answerQuality",
    "/meta/completeness",
    "/self_rating",
    "/probability",
  ])("a check of %s is refused", (at) => {
    const [problem, ...others] = problemsOf({
      validator: { all: [{ use: "json_schema", options: {} }, CURRENCY(at)] },
    });
    expect(problem).toMatch(
      /^\/validator\/all\/1\/options\/fields\/0: format must not decide by ".*Name it under "features"/,
    );
    expect(others).toEqual([]);
  });

  test.each([
    "/credit_score",
    "/water_quality",
    "/default_probability",
    "/total",
    "/model",
    "/confidential",
    "/currency",
    "",
  ])("data such as %j may be checked", (at) => {
    expect(problemsOf({ validator: CURRENCY(at) })).toEqual([]);
  });

  test.each<[string, Json]>([
    ["/fields/0", { use: "numeric_range", options: { fields: ["/confidence"], min: 0.9 } }],
    ["/fields/1", { use: "enum", options: { fields: ["/label", "/certainty"], values: ["high"] } }],
    ["/fields/0", { use: "equals", options: { fields: ["/is_confident"], expected: { value: true } } }],
    ["/label", { use: "classifier_label", options: { label: "/confidence", labels: ["high", "low"] } }],
    ["/field", { use: "json_diff", options: { field: "/quality", expected: { value: 1 } } }],
  ])("whatever the check: %s of %j", (at, validator) => {
    expect(problemsOf({ validator })).toEqual([expect.stringContaining(`/validator/options${at}: `)]);
  });

  test("a place in the input is the customer's, and one that is left out decides nothing", () => {
    const compared = { use: "json_diff", options: { expected: { input: "/confidence" }, ignore: ["/confidence"] } };
    expect(problemsOf({ validator: compared })).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ["/confidence", {}],
    ["/certainty/of_total", { features: FEATURES }],
  ])("nor does a price on %s", (path, changes) => {
    const output_schema = { ...SCHEMA, properties: { ...SCHEMA.properties, confidence: { type: "number" } } };
    const price = { shape: "value", rate: 0.02, path, max: "5.00" };
    expect(problemsOf({ output_schema, price, ...changes })).toEqual([
      `/price/path: "${path}" is what the model says of its own answer, which must not make a price`,
    ]);
  });

  test("wherever the check stands in the tree", () => {
    const bad = CURRENCY("/confidence");
    const validator = { any: [{ weighted: [{ weight: 1, of: { not: bad } }] }, bad] };
    expect(problemsOf({ validator }).map((problem) => problem.split(":")[0])).toEqual([
      "/validator/any/0/weighted/0/of/not/options/fields/0",
      "/validator/any/1/options/fields/0",
    ]);
  });

  test("a feature is such a number, whatever it is called", () => {
    const changes = { output_schema: SCHEMA, validator: CURRENCY("/certainty/of_total") };
    expect(problemsOf(changes)).toEqual([]);
    expect(problemsOf({ ...changes, features: FEATURES })).toEqual([
      expect.stringMatching(/^\/validator\/options\/fields\/0: format must not decide/),
    ]);
  });

  test("that it is there, adds up, or stands in the source may be checked", () => {
    const sums = [{ total: "/score", parts: ["/a", "/b"] }];
    const validator = {
      all: [
        { use: "fields_complete", options: { entities: "", required: ["/confidence"] } },
        { use: "arithmetic", options: { sums } },
        { use: "grounded", options: { fields: ["/score"], source: "/document" } },
      ],
    };
    expect(problemsOf({ validator })).toEqual([]);
  });
});

describe("features", () => {
  test("are names and the places that they are read from; none unless given", () => {
    expect(contentOf({ output_schema: SCHEMA, features: FEATURES }).features).toEqual(FEATURES);
    expect(contentOf({}).features).toEqual({});
  });

  test.each<[string, Json, RegExp]>([
    [
      "a place that answers do not have",
      { a: "/sureness" },
      /^\/features\/a: "\/sureness" is not in the output schema/,
    ],
    ["what is no pointer", { a: "sureness" }, /^\/features\/a: must be a JSON pointer/],
    ["many places", { a: "/certainty/*" }, /^\/features\/a: must mean one place/],
    ["a name that is none", { "A b": "/certainty" }, /^\/features.*1 to 63 lower-case letters/],
    [
      "too many",
      Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`f${i}`, "/certainty"])),
      /^\/features: must be at most 16/,
    ],
  ])("refuses %s", (_, features, problem) => {
    expect(problemsOf({ output_schema: SCHEMA, features })).toEqual([expect.stringMatching(problem)]);
  });
});
