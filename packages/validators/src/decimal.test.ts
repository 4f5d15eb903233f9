import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, decimalOf, isWhole, NOUGHT, plus, textOf, times, within } from "./decimal.ts";

const read = (value: number | string) => decimalOf(value) ?? NOUGHT;

describe("decimal", () => {
  test.each([
    [0.1, "0.1"],
    ["1234.50", "1234.5"],
    [-0.005, "-0.005"],
    [1e21, "1000000000000000000000"],
    [1.5e-7, "0.00000015"],
    [-0, "0"],
    ["-0.0", "0"],
    ["007.10", "7.1"],
  ])("reads %s as %s", (value, text) => {
    expect(textOf(read(value))).toBe(text);
  });

  test.each([
    ["1,234.50"],
    ["EUR 5"],
    [""],
    [" 1"],
    ["1."],
    [".5"],
    ["1e5"],
    ["٣"],
    [1e300],
    ["9".repeat(41)],
    [true],
    [null],
    [[]],
  ])("does not read %s", (value) => {
    expect(decimalOf(value)).toBe(null);
  });

  const amount = fc.tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 6 }));
  const decimal = amount.map(([digits, scale]) => ({ digits, scale }));

  test("text and number are the same thing twice", () => {
    fc.assert(
      fc.property(decimal, (value) => {
        expect(textOf(read(textOf(value)))).toBe(textOf(value));
      }),
    );
  });

  test("sums and products are exact", () => {
    const whole = (value: { digits: bigint; scale: number }) => value.digits * 10n ** BigInt(6 - value.scale);
    fc.assert(
      fc.property(decimal, decimal, (left, right) => {
        expect(textOf(plus(left, right))).toBe(textOf({ digits: whole(left) + whole(right), scale: 6 }));
        expect(textOf(times(left, right))).toBe(textOf({ digits: whole(left) * whole(right), scale: 12 }));
        expect(within(left, right, NOUGHT)).toBe(whole(left) === whole(right));
        expect(Math.sign(compare(left, right))).toBe(
          Number(whole(left) > whole(right)) - Number(whole(left) < whole(right)),
        );
        expect(isWhole(left)).toBe(whole(left) % 10n ** 6n === 0n);
        expect(within(plus(left, read(1)), left, read("0.999999"))).toBe(false);
        expect(within(plus(left, read(1)), left, read(1))).toBe(true);
      }),
    );
  });
});
