import type { Json, JsonObject } from "@contingent/core/json";
import { nanos } from "@contingent/core/money";
import { decodeOutcomeType, encodeOutcomeType } from "@contingent/db/outcome-type-json";
import { describe, expect, test } from "vitest";
import { shippedCatalog } from "./catalog.ts";
import { resolveDefinition } from "./resolve.ts";

const AROUND = { catalog: shippedCatalog(), nowMs: Date.UTC(2026, 10, 24) };

const GOOD: JsonObject = {
  description: "What is in a document",
  currency: "USD",
  prompt: { system: "Extract.", user: "{{input.document}}" },
  input_schema: { type: "object", properties: { document: { type: "string" } }, required: ["document"] },
  output_schema: { type: "object" },
  validator: { use: "json_schema", options: {} },
  cascade: [{ tier: "fast" }, { tier: "standard", attempts_max: 1, timeout_ms: 45_000 }],
  cost_cap: "0.08",
  deadline_ms: 120_000,
  price: { shape: "binary", amount: "0.04" },
};

const TIERED: Json = { shape: "tiered", amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] };

function problemsOf(changes: JsonObject): readonly string[] {
  const resolution = resolveDefinition({ ...GOOD, ...changes }, AROUND);
  return resolution.ok ? [] : resolution.problems.map(({ param, message }) => `${param}: ${message}`);
}

test("a good definition is resolved with what the catalog says", () => {
  const resolution = resolveDefinition(GOOD, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  const { terms } = resolution.content;
  expect(terms.cascade.map(({ tier, attemptsMax, timeoutMs }) => ({ tier, attemptsMax, timeoutMs }))).toEqual([
    { tier: "fast", attemptsMax: 3, timeoutMs: 30_000 },
    { tier: "standard", attemptsMax: 1, timeoutMs: 45_000 },
  ]);
  expect(terms).toMatchObject({ attemptsMax: 4, costCap: nanos(80_000_000n), successAt: 1, partialAt: null });
  expect(terms.price).toEqual({ shape: "binary", amount: nanos(40_000_000n) });
});

test("what is resolved survives being stored as JSON", () => {
  const resolution = resolveDefinition({ ...GOOD, price: TIERED, partial_at: 0.5 }, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  const stored = JSON.parse(JSON.stringify(encodeOutcomeType(resolution.content))) as JsonObject;
  expect(decodeOutcomeType(stored)).toEqual(resolution.content);
});

test("an input schema that looks like an amount stays as it is", () => {
  const input_schema = { type: "object", properties: { document: { const: { nanos: "1" } } } };
  const resolution = resolveDefinition({ ...GOOD, input_schema }, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  expect(decodeOutcomeType(encodeOutcomeType(resolution.content)).inputSchema).toEqual(input_schema);
});

describe("each mistake is refused with its place", () => {
  test.each<[string, JsonObject, RegExp]>([
    ["a tier that is not there", { cascade: [{ tier: "fast" }, { tier: "turbo" }] }, /^\/cascade\/1\/tier: .*fast/],
    [
      "a model that is not there",
      { cascade: [{ tier: "fast", models: ["gpt-1"] }] },
      /^\/cascade\/0\/models\/0: .*"gpt-1"/,
    ],
    ["a model's prefix", { cascade: [{ tier: "fast", models: ["claude-haiku-5"] }] }, /^\/cascade\/0\/models\/0/],
    ["a validator that is not there", { validator: { use: "vibes", options: {} } }, /^\/validator\/use/],
    [
      "options that a validator does not know",
      { validator: { use: "json_schema", options: { x: 1 } } },
      /^\/validator\/options/,
    ],
    ["an empty tree of validators", { validator: { all: [] } }, /^\/validator/],
    ["a broken input schema", { input_schema: { type: "objekt", properties: { document: {} } } }, /^\/input_schema/],
    ["a broken output schema", { output_schema: { properties: { a: { minimum: "x" } } } }, /^\/output_schema/],
    ["a remote reference", { output_schema: { $ref: "https://example.com/s.json" } }, /^\/output_schema\/\$ref/],
    [
      "a path that inputs do not have",
      { prompt: { system: "", user: "{{input.dokument}}" } },
      /^\/prompt\/user: \{\{input\.dokument/,
    ],
    ["a placeholder of another kind", { prompt: { system: "{{name}}", user: "x" } }, /^\/prompt\/system: \{\{name\}\}/],
    ["a cap that no attempt fits", { cost_cap: "0.000001" }, /^\/cost_cap: is too low .* cost 0\.000256 at least/],
    ["a cap of nothing", { cost_cap: "0" }, /^\/cost_cap: must be more than zero/],
    ["a cap as a JSON number", { cost_cap: 0.08 }, /^\/cost_cap: must be a/],
    ["a partial outcome that a binary price gives away", { partial_at: 0.5 }, /^\/partial_at: a binary price/],
    ["a partial outcome below every band", { price: TIERED, partial_at: 0.4 }, /^\/partial_at: the price pays nothing/],
    [
      "a partial threshold above success",
      { price: TIERED, success_at: 0.8, partial_at: 0.9 },
      /^\/partial_at: must be below/,
    ],
    [
      "a success that no band pays for",
      { success_at: 0.5, price: { shape: "tiered", amount: "1", bands: [{ from_score: 0.9, fraction: 1 }] } },
      /^\/price\/bands: must pay something at success_at/,
    ],
    [
      "bands in the wrong order",
      {
        price: {
          shape: "tiered",
          amount: "1",
          bands: [
            { from_score: 0.9, fraction: 1 },
            { from_score: 0.5, fraction: 1 },
          ],
        },
      },
      /^\/price\/bands\/1\/from_score/,
    ],
    ["a price of nothing", { price: { shape: "binary", amount: "0.00" } }, /^\/price\/amount: must be more than zero/],
    ["a negative price", { price: { shape: "binary", amount: "-1" } }, /^\/price\/amount: must be more than zero/],
    ["a shape that is not there", { price: { shape: "lottery", amount: "1" } }, /^\/price/],
    ["output limits out of order", { output_tokens: { start: 100, min: 200, max: 300 } }, /^\/output_tokens/],
    ["no attempts", { cascade: [{ tier: "fast", attempts_max: 0 }] }, /^\/cascade\/0\/attempts_max/],
    ["no attempts at all", { attempts_max: 0 }, /^\/attempts_max/],
    ["a deadline shorter than the first tier needs", { deadline_ms: 1_500 }, /^\/deadline_ms: .*2000 ms/],
    ["an acceptance that is not there yet", { acceptance: { mode: "window" } }, /^\/acceptance/],
    ["another currency", { currency: "EUR" }, /^\/currency/],
    ["a misspelt field", { prise: 1 }, /^\/prise: is not known/],
  ])("%s", (_, changes, problem) => {
    const problems = problemsOf(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});

test("all mistakes are reported at once, malformed parts or not", () => {
  const problems = problemsOf({
    cascade: [{ tier: "turbo" }],
    deadline_ms: "soon",
    validator: { use: "vibes", options: {} },
    cost_cap: "0",
    prompt: { system: "", user: "{{input.dokument}}" },
    typo: 1,
  });
  const places = new Set(problems.map((problem) => problem.split(":")[0]));
  expect(problems).toHaveLength(6);
  expect(places).toEqual(
    new Set(["/cascade/0/tier", "/cost_cap", "/deadline_ms", "/prompt/user", "/typo", "/validator/use"]),
  );
});

test.each<[string, Json]>([
  ["a list", []],
  ["null", null],
  ["a text", "definition"],
])("%s is no definition", (_, body) => {
  const resolution = resolveDefinition(body, AROUND);
  expect(resolution.ok).toBe(false);
});
