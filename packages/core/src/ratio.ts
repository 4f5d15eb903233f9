/**
 * Exact fractions, for what money is multiplied and divided by: a margin, a fee, a billable share. Floating point would
 * make a price depend on how its fraction happens to be written in binary.
 */

/** `numerator / denominator`; the denominator is more than zero. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const FRACTION_DIGITS = 9;
const DECIMAL = /^(\d{1,9})(?:\.(\d{1,9}))?$/;
const SHOWN_PARTS = 1_000_000n;

/** @throws RangeError for a denominator that is not more than zero */
export function ratio(numerator: bigint, denominator: bigint): Ratio {
  if (denominator <= 0n) throw new RangeError(`${denominator} cannot be a denominator`);
  return { numerator, denominator };
}

export const NONE = ratio(0n, 1n);
export const ONE = ratio(1n, 1n);

/** Reads a decimal such as `"0.4"` exactly; null when the text is not one, or has more than 9 digits on a side. */
export function parseRatio(text: string): Ratio | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, whole = "0", fraction = ""] = match;
  return ratio(BigInt(whole + fraction.padEnd(FRACTION_DIGITS, "0")), 10n ** BigInt(FRACTION_DIGITS));
}

/** The sum, with the least denominator that both have in common: it does not grow with the number of summands. */
export function plus(left: Ratio, right: Ratio): Ratio {
  const common = commonDivisor(left.denominator, right.denominator);
  const [ofLeft, ofRight] = [right.denominator / common, left.denominator / common];
  return ratio(left.numerator * ofLeft + right.numerator * ofRight, left.denominator * ofLeft);
}

function commonDivisor(left: bigint, right: bigint): bigint {
  let [greater, smaller] = [left, right];
  while (smaller !== 0n) [greater, smaller] = [smaller, greater % smaller];
  return greater;
}

export function minus(left: Ratio, right: Ratio): Ratio {
  return plus(left, ratio(-right.numerator, right.denominator));
}

export function isLess(left: Ratio, right: Ratio): boolean {
  return left.numerator * right.denominator < right.numerator * left.denominator;
}

/** The fraction to the nearest millionth, for people to look at. Never to calculate with. */
export function shown({ numerator, denominator }: Ratio): number {
  const twice = 2n * denominator;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const parts = Number((magnitude * SHOWN_PARTS * 2n + denominator) / twice) / Number(SHOWN_PARTS);
  return numerator < 0n ? -parts : parts;
}
