import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLess, minus, NONE, parseRatio, plus, type Ratio, ratio, shown } from "./ratio.ts";

const anyRatio = fc
  .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10n ** 9n }))
  .map(([numerator, denominator]) => ratio(numerator, denominator));

function isEqual(left: Ratio, right: Ratio): boolean {
  return !isLess(left, right) && !isLess(right, left);
}

describe("fractions as text", () => {
  test.each<[string, number]>([
    ["0", 0],
    ["0.4", 0.4],
    ["1.000000001", 1.000000001],
    ["12", 12],
  ])("reads %s", (text, expected) => {
    const read = parseRatio(text);
    expect(read === null ? null : Number(read.numerator) / Number(read.denominator)).toBe(expected);
  });

  test.each(["", "-0.1", "+1", ".5", "1.", "1e-3", "0,4", "40%", "0.0000000001", " 0.4"])(
    "does not read %j",
    (text) => {
      expect(parseRatio(text)).toBe(null);
    },
  );
});

describe("arithmetic", () => {
  test("adding and taking away undo each other, whatever the denominators", () => {
    fc.assert(
      fc.property(anyRatio, anyRatio, (left, right) => {
        expect(isEqual(minus(plus(left, right), right), left)).toBe(true);
        expect(isEqual(minus(left, left), NONE)).toBe(true);
      }),
    );
  });

  test("of two different fractions one is less", () => {
    fc.assert(
      fc.property(anyRatio, anyRatio, (left, right) => {
        expect(isLess(left, right)).toBe(isLess(minus(left, right), NONE));
      }),
    );
  });

  test.each<[bigint, bigint, number]>([
    [1n, 3n, 0.333333],
    [2n, 3n, 0.666667],
    [-2n, 3n, -0.666667],
    [1n, 2_000_000n, 0.000001],
    [5n, 1n, 5],
  ])("%s/%s is shown as %s", (numerator, denominator, expected) => {
    expect(shown(ratio(numerator, denominator))).toBe(expected);
  });

  test.each([0n, -1n])("nothing is divided by %s", (denominator) => {
    expect(() => ratio(1n, denominator)).toThrow(RangeError);
  });
});
