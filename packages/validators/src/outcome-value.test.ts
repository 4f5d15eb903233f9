/** Hazard: a price that rests on another number than the outcome carries. */
import type { Json } from "@contingent/core/json";
import { nanos, ZERO } from "@contingent/core/money";
import type { PriceTerms } from "@contingent/core/pricing/price";
import { expect, test } from "vitest";
import { valueIn } from "./outcome-value.ts";

const PRICE: PriceTerms = { shape: "value", rate: 0.02, path: "/claim/recovered", min: ZERO, max: nanos(1n) };

test.each<[Json, bigint | null]>([
  [1234.5, 1_234_500_000_000n],
  ["1234.50", 1_234_500_000_000n],
  [0.1, 100_000_000n],
  ["0.0000000019", 1n],
  [1e-9, 1n],
  [-3, -3_000_000_000n],
  [0, 0n],
  [1e300, null],
  [1e21, 999_999_999_999_999_999n],
  ["1,234.50", null],
  ["USD 5", null],
  ["", null],
  [true, null],
  [null, null],
  [[5], null],
  [{ amount: 5 }, null],
])("%j is recorded as %s", (recovered, expected) => {
  expect(valueIn({ claim: { recovered } }, PRICE)).toBe(expected);
});

test("an outcome without the number has no value, whatever else it is", () => {
  for (const output of [{}, { claim: null }, [], 5, null]) expect(valueIn(output, PRICE)).toBeNull();
  expect(valueIn({ constructor: 5 }, { ...PRICE, path: "/toString" })).toBeNull();
});

test("under a price that depends on no number none is recorded", () => {
  expect(valueIn({ claim: { recovered: 5 } }, { shape: "binary", amount: nanos(1n) })).toBeNull();
});
