/** Answers small enough to be checked in the process that needs it, each of whose values is held against much of the input. */
import type { Json } from "@contingent/core/json";
import { expect, test } from "vitest";
import { INLINE_CHARACTERS_MAX } from "./bounds.ts";
import { checkNamed } from "./registry.ts";
import { PASSED } from "./finding.ts";
import { verdictBy } from "./tree.fixture.ts";

/** Each took several seconds when every value was held against the input anew, and takes some 0.1 s. */
const CHECK_MS_MAX = 2_000;

const items = (count: number): Json => Array.from({ length: count }, (_, i) => i.toString(36));

test.each<[string, Json, Json, Json]>([
  [
    "equals",
    "\u0101\u0301".repeat(30_000),
    items(9_000),
    { fields: ["/*"], expected: { input: "" }, ignore_case: true },
  ],
  [
    "contains",
    Array.from({ length: 10 }, (_, i) => "a".repeat(990) + i),
    items(9_999),
    { fields: ["/*"], values: Array.from({ length: 10 }, (_, i) => ({ input: `/${i}` })) },
  ],
])("%s", async (name, input, output, options) => {
  const check = checkNamed(name);
  expect(check?.problemsOf(options)).toEqual([]);
  expect(JSON.stringify([input, output]).length).toBeLessThan(INLINE_CHARACTERS_MAX);
  const startMs = performance.now();
  expect(await check?.run({ input, output, outputSchema: {} }, options)).toMatchObject({ score: 0 });
  expect(performance.now() - startMs).toBeLessThan(CHECK_MS_MAX);
});

const rows = Array.from({ length: 5_000 }, () => ({ x: 1 }));
const words = Array.from({ length: 600 }, (_, i) => `ab ab ab ${i}`);

/** What takes 0.1 to 5 s in a small answer, mostly because of how much the options ask for. */
test.each<[string, Json, Json, Json, Json]>([
  ["grounded", "ab ".repeat(20_000), words, words.slice(0, 50), { fields: ["/*"], source: "" }],
  ["citations", "ab ".repeat(20_000), words, words.slice(0, 50), { quotes: ["/*"], source: "" }],
  [
    "contains",
    null,
    ["a".repeat(100_000)],
    ["a".repeat(10_000)],
    { fields: ["/0", "/0"], values: Array.from({ length: 30 }, (_, i) => `a${i}`) },
  ],
  [
    "arithmetic",
    null,
    rows,
    rows.slice(0, 500),
    { sums: Array.from({ length: 5 }, () => ({ each: "", total_field: "x", product: ["x", "x"] })) },
  ],
  [
    "fields_complete",
    null,
    rows,
    rows.slice(0, 500),
    { entities: "", required: Array.from({ length: 20 }, (_, i) => `f${i}`) },
  ],
])("%s is made in the sandbox when there is too much of it", async (use, input, much, little, options) => {
  const ran: Json[] = [];
  for (const output of [much, little])
    await verdictBy({ use, options }, { input, output, outputSchema: {} }, { successAt: 1, partialAt: null }, () => {
      ran.push(output);
      return Promise.resolve(PASSED);
    });
  expect(ran).toEqual([much]);
});

test("json_diff is made there when many lists have no order", () => {
  const subject = { input: null, output: null, outputSchema: {} };
  const isQuick = (unordered: readonly string[]): boolean | undefined =>
    checkNamed("json_diff")?.isQuick(subject, { expected: { value: 1 }, unordered });
  expect(isQuick(["", "/*"])).toBe(true);
  expect(isQuick(["", "/*", "/*/*", "/*/*/*"])).toBe(false);
});
