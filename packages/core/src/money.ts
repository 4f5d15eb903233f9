/**
 * Money. The only module in the system that does arithmetic on it.
 *
 * An amount is a BIGINT count of **nanos** (1e-9 of the currency's unit), so that the smallest published
 * token price ($0.001 per million tokens) is exactly one nano per token and no cost is ever rounded on the way.
 * In the API an amount is a decimal string with an ISO currency, never a JSON number.
 */
import { type Ratio, ratio } from "./ratio.ts";

declare const nanosBrand: unique symbol;

/** A signed amount in 1e-9 of the currency's unit. */
export type Nanos = bigint & { readonly [nanosBrand]: true };

/** The one currency a deployment keeps its books in. */
export type Currency = "USD";

const NANOS_PER_UNIT = 1_000_000_000n;
const FRACTION_DIGITS = 9;
/** A cent: what a statement is rounded to, and the least that anybody can pay. */
const NANOS_PER_MINOR_UNIT = 10_000_000n;
/** An amount as text: a regular expression with the sign, the units and the fraction. */
export const DECIMAL_PATTERN = "^(-?)(\\d{1,9})(?:\\.(\\d{1,9}))?$";
const DECIMAL = new RegExp(DECIMAL_PATTERN);

export const ZERO = 0n as Nanos;

/** Brands a whole number of nanos. */
export function nanos(count: bigint): Nanos {
  return count as Nanos;
}

/**
 * Reads a decimal string such as `"1.25"` (at most 9 digits before and after the point).
 * @returns null when the text is not such a number; it never rounds.
 */
export function parseMoney(text: string): Nanos | null {
  const match = DECIMAL.exec(text);
  if (match === null) return null;
  const [, sign, units = "0", fraction = ""] = match;
  const magnitude = BigInt(units) * NANOS_PER_UNIT + BigInt(fraction.padEnd(FRACTION_DIGITS, "0"));
  return nanos(sign === "-" ? -magnitude : magnitude);
}

/** The largest amount that `parseMoney` reads. */
const READABLE_MAX = 10n ** 18n - 1n;

/**
 * A number that somebody else wrote, `digits × 10^−scale` units, as an amount: rounded towards zero, so that nobody is
 * charged for a fraction of a nano, and no larger than an amount can be.
 */
export function amountOfDecimal({ digits, scale }: { readonly digits: bigint; readonly scale: number }): Nanos {
  const whole = (digits * NANOS_PER_UNIT) / 10n ** BigInt(scale);
  if (whole > READABLE_MAX) return nanos(READABLE_MAX);
  return nanos(whole < -READABLE_MAX ? -READABLE_MAX : whole);
}

/** Writes an amount exactly: `1.25`, `0.0000021`, `-3.00`. At least two digits after the point, at most nine. */
export function formatMoney(amount: Nanos): string {
  const magnitude = amount < 0n ? -amount : amount;
  const fraction = (magnitude % NANOS_PER_UNIT)
    .toString()
    .padStart(FRACTION_DIGITS, "0")
    .replace(/0{1,7}$/, "");
  return `${amount < 0n ? "-" : ""}${magnitude / NANOS_PER_UNIT}.${fraction}`;
}

export function add(left: Nanos, right: Nanos): Nanos {
  return nanos(left + right);
}

export function subtract(left: Nanos, right: Nanos): Nanos {
  return nanos(left - right);
}

export function negate(amount: Nanos): Nanos {
  return nanos(-amount);
}

export function sum(amounts: Iterable<Nanos>): Nanos {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return nanos(total);
}

export function min(left: Nanos, right: Nanos): Nanos {
  return left < right ? left : right;
}

export function max(left: Nanos, right: Nanos): Nanos {
  return left > right ? left : right;
}

/**
 * `amount × fraction`, rounded down to a nano. The fraction is a number from 0 to 1,000 such as a price band's share;
 * it is taken to the nearest millionth first, so that the result does not depend on binary floating point.
 */
export function share(amount: Nanos, fraction: number): Nanos {
  return nanos((amount * BigInt(Math.round(fraction * 1_000_000))) / 1_000_000n);
}

/** The nearest whole number of cents; a half goes away from zero, so that a credit is rounded like a debit. */
export function roundedToMinorUnit(amount: Nanos): Nanos {
  const magnitude = amount < 0n ? -amount : amount;
  const rounded = ((magnitude + NANOS_PER_MINOR_UNIT / 2n) / NANOS_PER_MINOR_UNIT) * NANOS_PER_MINOR_UNIT;
  return nanos(amount < 0n ? -rounded : rounded);
}

/** What part of `whole` an amount is, exactly. @throws RangeError when `whole` is not more than zero */
export function ratioOf(part: Nanos, whole: Nanos): Ratio {
  return ratio(part, whole);
}

/** `amount ÷ by`, rounded up to a nano: what is asked for so that at least `amount` is left of it. */
export function dividedUp(amount: Nanos, by: Ratio): Nanos {
  if (by.numerator <= 0n) throw new RangeError("money is divided by more than zero only");
  const scaled = amount * by.denominator;
  const quotient = scaled / by.numerator;
  return nanos(scaled > 0n && scaled % by.numerator !== 0n ? quotient + 1n : quotient);
}
