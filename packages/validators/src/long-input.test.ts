/** Answers small enough to be checked in the process that needs it, each of whose values is held against much of the input. */
import type { Json } from "@contingent/core/json";
import { expect, test } from "vitest";
import { INLINE_CHARACTERS_MAX } from "./bounds.ts";
import { checkNamed } from "./registry.ts";

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
