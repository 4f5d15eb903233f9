import type { Json } from "@contingent/core/json";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkNamed } from "../registry.ts";

async function scoreOf(value: Json, output: Json, options: { readonly [name: string]: Json } = {}): Promise<number> {
  const check = checkNamed("json_diff");
  if (check === null) throw new Error("there is no json_diff");
  return (await check.run({ input: null, output, outputSchema: {} }, { expected: { value }, ...options })).score;
}

const anyValue = fc.jsonValue({ maxDepth: 3 }).map((value): Json => JSON.parse(JSON.stringify(value)) as Json);

describe("json_diff", () => {
  test("a value agrees with itself, whatever the order of its names", async () => {
    const turned = (value: Json): Json =>
      typeof value !== "object" || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(Object.entries(value).toReversed());
    await fc.assert(
      fc.asyncProperty(anyValue, async (value) => {
        expect(await scoreOf(value, turned(value))).toBe(1);
      }),
    );
  });

  test("a list without an order agrees however it is shuffled", async () => {
    const shuffled = fc
      .array(anyValue, { minLength: 1, maxLength: 8 })
      .chain((items) =>
        fc.shuffledSubarray(items, { minLength: items.length }).map((others) => [items, others] as const),
      );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([items, others]) => {
        expect(await scoreOf(items, others, { unordered: [""] })).toBe(1);
      }),
    );
  });

  test("long lists are compared, also in another order and with numbers that are only nearly the same", async () => {
    const rows = (by: number): Json[] => Array.from({ length: 1_000 }, (_, i) => ({ id: i, weight: i + by }));
    expect(await scoreOf(rows(0), rows(0).toReversed(), { unordered: [""] })).toBe(1);
    expect(await scoreOf(rows(0), rows(0.5), { unordered: [""], tolerance: 0.5 })).toBe(1);
    expect(await scoreOf(rows(0), rows(0.5), { unordered: [""], tolerance: 0.25 })).toBe(0.5);
  });
});
