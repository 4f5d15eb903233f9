import type { Json, JsonObject } from "@contingent/core/json";
import { nanos, ZERO } from "@contingent/core/money";
import type { Terms } from "@contingent/core/outcome-type";
import type { PriceTerms } from "@contingent/core/pricing/price";
import { decodeOutcomeType, encodeOutcomeType } from "@contingent/db/outcome-type-json";
import { describe, expect, test } from "vitest";
import { AROUND, GOOD, problemsOf, termsOf } from "./resolve.fixture.ts";
import { resolveDefinition } from "./resolve.ts";

const DOLLAR = nanos(1_000_000_000n);
const VALUE: JsonObject = { shape: "value", rate: 0.02, path: "/recovered", max: "50" };
const JUDGE: JsonObject = { provider: "judges", name: "court-2", cost_per_verdict: "0.002" };
const TIERED: Json = { shape: "tiered", amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] };

const EXPLICIT: Json = { mode: "explicit", until_ms: 60_000 };

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

test.each<[JsonObject, PriceTerms]>([
  [
    { shape: "linear", amount: "1" },
    { shape: "linear", amount: DOLLAR, floor: ZERO, ceiling: DOLLAR },
  ],
  [
    { shape: "linear", amount: "1", floor: "0.2", ceiling: "0.9" },
    { shape: "linear", amount: DOLLAR, floor: nanos(200_000_000n), ceiling: nanos(900_000_000n) },
  ],
  [VALUE, { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(50_000_000_000n) }],
  [
    { ...VALUE, min: "1" },
    { shape: "value", rate: 0.02, path: "/recovered", min: DOLLAR, max: nanos(50_000_000_000n) },
  ],
])("the price %j is resolved with what it leaves out", (price, terms) => {
  const resolution = resolveDefinition({ ...GOOD, price }, AROUND);
  expect(resolution.ok && resolution.content.terms.price).toEqual(terms);
});

test.each<[string, JsonObject]>([
  ["tiered", { price: TIERED, partial_at: 0.5 }],
  ["linear", { price: { shape: "linear", amount: "1", floor: "0.1" }, partial_at: 0.5 }],
  ["value", { price: VALUE }],
  ["with a judge", { validation: JUDGE }],
  ["with a retention", { payload_retention_days: 0 }],
])("what is resolved survives being stored as JSON: %s", (_, changes) => {
  const resolution = resolveDefinition({ ...GOOD, ...changes }, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  const stored = JSON.parse(JSON.stringify(encodeOutcomeType(resolution.content))) as JsonObject;
  expect(decodeOutcomeType(stored)).toEqual(resolution.content);
});

test.each<[string, JsonObject, Partial<Terms>]>([
  ["nothing is said", {}, { acceptance: { mode: "automatic" }, rework: false, disputeWindowMs: 2_592_000_000 }],
  [
    "a window is given",
    { acceptance: { mode: "window", duration_ms: 1_000, on_silence: "accept" }, rework: true, dispute_window_ms: 0 },
    {
      acceptance: { mode: "window", durationMs: 1_000, onSilence: "accept" },
      rework: true,
      disputeWindowMs: 0,
    },
  ],
  [
    "the customer has to say so, silence releases",
    { acceptance: EXPLICIT },
    { acceptance: { mode: "explicit", durationMs: 60_000, onSilence: "release" }, rework: false },
  ],
])("how an outcome is accepted, when %s", (_, changes, terms) => {
  expect(termsOf(changes)).toMatchObject(terms);
});

test("terms that were stored before acceptance could be chosen are read as if they had left it out", () => {
  const resolution = resolveDefinition(GOOD, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  const { rework: _, disputeWindowMs: __, inquiryReserve: ___, ...terms } = resolution.content.terms;
  const old = encodeOutcomeType({ ...resolution.content, terms: terms as Terms });
  expect(decodeOutcomeType(old)).toEqual(resolution.content);
});

test("what a verdict costs is resolved, and nothing unless it is declared", () => {
  const resolved = (changes: JsonObject) => {
    const resolution = resolveDefinition({ ...GOOD, ...changes }, AROUND);
    return resolution.ok ? resolution.content.terms.validation : resolution.problems;
  };
  expect(resolved({ validation: JUDGE })).toEqual({ provider: "judges", name: "court-2", cost: nanos(2_000_000n) });
  expect(resolved({})).toBeNull();
});

test("a version that was published before verdicts could cost something has free ones", () => {
  const resolution = resolveDefinition(GOOD, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  const { terms, ...content } = JSON.parse(JSON.stringify(encodeOutcomeType(resolution.content))) as JsonObject;
  const { validation, ...older } = terms as JsonObject;
  expect(validation).toBeNull();
  expect(decodeOutcomeType({ ...content, terms: older }).terms.validation).toBeNull();
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
    [
      "a linear floor above its ceiling",
      { price: { shape: "linear", amount: "1", floor: "0.6", ceiling: "0.5" } },
      /^\/price\/floor: must not be above 0\.50, the ceiling/,
    ],
    [
      "a linear floor above its amount",
      { price: { shape: "linear", amount: "1", floor: "1.1" } },
      /^\/price\/floor: must not be above 1\.00, the ceiling/,
    ],
    [
      "a linear ceiling that is never reached",
      { price: { shape: "linear", amount: "1", ceiling: "1.5" } },
      /^\/price\/ceiling: must not be above 1\.00, .* never be reached/,
    ],
    [
      "a linear ceiling of nothing",
      { price: { shape: "linear", amount: "1", ceiling: "0" } },
      /^\/price\/ceiling: must be more than zero: it is the hold/,
    ],
    [
      "a negative linear floor",
      { price: { shape: "linear", amount: "1", floor: "-0.1" } },
      /^\/price\/floor: must not be negative/,
    ],
    [
      "a linear price of nothing",
      { price: { shape: "linear", amount: "0" } },
      /^\/price\/amount: must be more than zero/,
    ],
    [
      "a success that a linear price gives away",
      { success_at: 0, price: { shape: "linear", amount: "1" } },
      /^\/price\/floor: must pay something at success_at \(0\): set a floor/,
    ],
    [
      "a partial outcome that a linear price gives away",
      { partial_at: 0, price: { shape: "linear", amount: "1" } },
      /^\/partial_at: the price pays nothing for it: set a floor/,
    ],
    [
      "a value that outcomes do not carry",
      { price: { ...VALUE, path: "/recoverd" } },
      /^\/price\/path: "\/recoverd" is not/,
    ],
    [
      "a value that is no number",
      { price: { ...VALUE, path: "/parties" } },
      /^\/price\/path: "\/parties" is no number/,
    ],
    [
      "a value path that is no pointer",
      { price: { ...VALUE, path: "recovered" } },
      /^\/price\/path: must be a JSON pointer/,
    ],
    [
      "a value path to many numbers",
      { price: { ...VALUE, path: "/parties/*" } },
      /^\/price\/path: must mean one place/,
    ],
    ["a value price without a rate", { price: { ...VALUE, rate: 0 } }, /^\/price\/rate: must be more than zero/],
    ["a value price that holds nothing", { price: { ...VALUE, max: "0" } }, /^\/price\/max: must be more than zero/],
    ["a value price without a maximum", { price: { shape: "value", rate: 1, path: "/recovered" } }, /^\/price\/max: /],
    [
      "a minimum above the maximum",
      { price: { ...VALUE, min: "51" } },
      /^\/price\/min: must not be above 50\.00, the maximum/,
    ],
    ["a negative minimum", { price: { ...VALUE, min: "-1" } }, /^\/price\/min: must not be negative/],
    [
      "a partial outcome under a price by value",
      { partial_at: 0.5, price: { ...VALUE, min: "1" } },
      /^\/partial_at: a price by value pays nothing for it/,
    ],
    [
      "a cap that leaves no room for the verdict",
      { cost_cap: "0.01", validation: { ...JUDGE, cost_per_verdict: "0.0099" } },
      /^\/cost_cap: is too low .* cost 0\.000256 at least, and the verdict on them 0\.0099/,
    ],
    [
      "a verdict that costs nothing",
      { validation: { ...JUDGE, cost_per_verdict: "0" } },
      /^\/validation\/cost_per_verdict: must be more than zero: leave validation out/,
    ],
    [
      "a verdict that pays us",
      { validation: { ...JUDGE, cost_per_verdict: "-1" } },
      /^\/validation\/cost_per_verdict: must be more than zero/,
    ],
    [
      "a name that an account cannot have",
      { validation: { ...JUDGE, provider: "judges:court" } },
      /^\/validation\/provider: must be 1 to 63 lower-case/,
    ],
    ["a shape that is not there", { price: { shape: "lottery", amount: "1" } }, /^\/price/],
    ["output limits out of order", { output_tokens: { start: 100, min: 200, max: 300 } }, /^\/output_tokens/],
    ["no attempts", { cascade: [{ tier: "fast", attempts_max: 0 }] }, /^\/cascade\/0\/attempts_max/],
    ["no attempts at all", { attempts_max: 0 }, /^\/attempts_max/],
    ["a deadline shorter than the first tier needs", { deadline_ms: 1_500 }, /^\/deadline_ms: .*2000 ms/],
    ["an acceptance that there is not", { acceptance: { mode: "maybe" } }, /^\/acceptance.*must have a known "mode"/],
    [
      "a window without an end",
      { acceptance: { mode: "window", on_silence: "accept" } },
      /^\/acceptance\/duration_ms: is required/,
    ],
    [
      "a window that does not say what silence means",
      { acceptance: { mode: "window", duration_ms: 60_000 } },
      /^\/acceptance\/on_silence/,
    ],
    [
      "a window too short to look at anything",
      { acceptance: { mode: "window", duration_ms: 999, on_silence: "accept" } },
      /^\/acceptance\/duration_ms: is too small: at least 1000/,
    ],
    [
      "a window of years",
      { acceptance: { mode: "explicit", until_ms: 401 * 86_400_000 } },
      /^\/acceptance\/until_ms: is too large: at most 34560000000/,
    ],
    [
      "the duration of a window where the mode is another",
      { acceptance: { mode: "explicit", until_ms: 60_000, duration_ms: 1 } },
      /^\/acceptance\/duration_ms: is not known/,
    ],
    ["rework that no rejection can begin", { rework: true }, /^\/rework: is of no use .*"window" or "explicit"/],
    [
      "rework without an attempt for it",
      { rework: true, acceptance: EXPLICIT, cascade: [{ tier: "fast", attempts_max: 1 }] },
      /^\/rework: needs more than one attempt/,
    ],
    [
      "rework without an attempt for it, over all tiers",
      { rework: true, acceptance: EXPLICIT, attempts_max: 1 },
      /^\/rework: needs more than one attempt/,
    ],
    ["a dispute window of years", { dispute_window_ms: 401 * 86_400_000 }, /^\/dispute_window_ms: is too large/],
    ["a retention that is none", { payload_retention_days: -1 }, /^\/payload_retention_days: is too small/],
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
