import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  amountOfDecimal,
  dividedUp,
  formatMoney,
  max,
  min,
  nanos,
  negate,
  parseMoney,
  roundedToMinorUnit,
  ratioOf,
  share,
  subtract,
  sum,
  ZERO,
} from "./money.ts";
import { NONE, ratio } from "./ratio.ts";

/** Every amount that the API can carry: nine digits before the point, nine after it. */
const amount = fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(nanos);

describe("amounts as text", () => {
  test.each<[string, bigint]>([
    ["0", 0n],
    ["-0.00", 0n],
    ["1.25", 1_250_000_000n],
    ["0.000000001", 1n],
    ["-3.00", -3_000_000_000n],
    ["007", 7_000_000_000n],
    ["999999999.999999999", 999_999_999_999_999_999n],
  ])("reads %s", (text, expected) => {
    expect(parseMoney(text)).toBe(expected);
  });

  test.each([
    "",
    " 1",
    "1 ",
    "1\n",
    "+1",
    "--1",
    "1.",
    ".5",
    "1,5",
    "1e3",
    "1_000",
    "0x10",
    "NaN",
    "٣",
    "0.0000000001",
    "1000000000",
    "1.2.3",
  ])("does not read %j, and never rounds", (text) => {
    expect(parseMoney(text)).toBe(null);
  });

  test.each<[bigint, string]>([
    [0n, "0.00"],
    [1_250_000_000n, "1.25"],
    [2_100n, "0.0000021"],
    [-3_000_000_000n, "-3.00"],
    [-1n, "-0.000000001"],
    [100_000_000n, "0.10"],
    [123_456_789_012_345_678_901n, "123456789012.345678901"],
  ])("writes %s as %s", (value, text) => {
    expect(formatMoney(nanos(value))).toBe(text);
  });

  test("what is written is read back as the same amount", () => {
    fc.assert(
      fc.property(amount, (value) => {
        expect(parseMoney(formatMoney(value))).toBe(value);
      }),
    );
  });

  test("equal amounts have equal texts, with two to nine digits after the point", () => {
    fc.assert(
      fc.property(amount, (value) => {
        expect(formatMoney(value)).toMatch(/^-?\d+\.\d{2,9}$/);
        expect(formatMoney(value)).not.toMatch(/\.\d{2,}0$/);
      }),
    );
  });
});

describe("arithmetic on amounts", () => {
  test("adding and taking away undo each other, and a sum is the same in any order", () => {
    fc.assert(
      fc.property(fc.array(amount), amount, (amounts, extra) => {
        expect(subtract(add(sum(amounts), extra), extra)).toBe(sum(amounts));
        expect(sum(amounts.toReversed())).toBe(sum(amounts));
        expect(add(sum(amounts), negate(sum(amounts)))).toBe(ZERO);
      }),
    );
  });

  test("min and max are the two amounts", () => {
    fc.assert(
      fc.property(amount, amount, (left, right) => {
        expect(min(left, right) <= max(left, right)).toBe(true);
        expect(add(min(left, right), max(left, right))).toBe(add(left, right));
      }),
    );
  });

  test.each<[bigint, number, bigint]>([
    [1_000_000_000n, 0.5, 500_000_000n],
    [1_000_000_000n, 1.5, 1_500_000_000n],
    // 0.000249 × 1,000,000 is 248.99999999999997 in binary: the share is taken to the nearest millionth first.
    [1_000_000n, 0.000249, 249n],
    [100n, 0.29, 29n],
    [100n, 1.1, 110n],
    [3n, 0.5, 1n],
    [1n, 0.999999, 0n],
    [7n, 0, 0n],
    [7n, 1_000, 7_000n],
  ])("%s × %s is %s, rounded down", (value, fraction, expected) => {
    expect(share(nanos(value), fraction)).toBe(expected);
  });

  test("a larger fraction never gives a smaller share", () => {
    const fraction = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
    const positive = amount.map((value) => max(value, negate(value)));
    fc.assert(
      fc.property(positive, fraction, fraction, (value, left, right) => {
        expect(share(value, Math.min(left, right)) <= share(value, Math.max(left, right))).toBe(true);
        expect(share(value, left) <= value).toBe(true);
      }),
    );
  });

  test("a quotient is the least amount that leaves the dividend", () => {
    const positive = fc.bigInt({ min: 1n, max: 10n ** 18n });
    fc.assert(
      fc.property(amount, positive, positive, (dividend, numerator, denominator) => {
        const quotient = dividedUp(dividend, ratio(numerator, denominator));
        expect(quotient * numerator >= dividend * denominator).toBe(true);
        expect((quotient - 1n) * numerator < dividend * denominator).toBe(true);
      }),
    );
  });

  test("a share of an amount is the ratio of the two", () => {
    expect(ratioOf(nanos(3n), nanos(4n))).toEqual(ratio(3n, 4n));
    expect(() => ratioOf(nanos(3n), ZERO)).toThrow(RangeError);
    expect(() => dividedUp(nanos(3n), NONE)).toThrow(RangeError);
  });
});

describe("a number that an outcome carries", () => {
  test.each<[bigint, number, bigint]>([
    [0n, 0, 0n],
    [123_456n, 2, 1_234_560_000_000n],
    [7n, 0, 7_000_000_000n],
    [19_999_999_999n, 10, 1_999_999_999n],
    [-19n, 10, -1n],
    [10n ** 40n, 0, 10n ** 18n - 1n],
    [-(10n ** 40n), 0, -(10n ** 18n) + 1n],
    [10n ** 9n, 0, 10n ** 18n - 1n],
    [9n, 80, 0n],
  ])("of %s × 10^−%s is an amount of %s nanos, rounded towards zero", (digits, scale, expected) => {
    expect(amountOfDecimal({ digits, scale })).toBe(expected);
  });
});

describe("the nearest cent", () => {
  test.each<[bigint, bigint]>([
    [0n, 0n],
    [4_999_999n, 0n],
    [5_000_000n, 10_000_000n],
    [14_999_999n, 10_000_000n],
    [1_995_000_000n, 2_000_000_000n],
    [-4_999_999n, 0n],
    [-5_000_000n, -10_000_000n],
    [-15_000_000n, -20_000_000n],
  ])("of %s is %s", (value, expected) => {
    expect(roundedToMinorUnit(nanos(value))).toBe(expected);
  });
});
