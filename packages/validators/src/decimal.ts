/**
 * Exact decimal numbers for checking an answer's sums. In binary floating point 0.1 + 0.2 is not 0.3, and an invoice
 * that adds up would be refused. (These are numbers that a model wrote, not money that anyone owes: that is core/money.)
 */
import type { Json } from "@contingent/core/json";

/** `digits × 10^−scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const PLAIN = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?$/;
const FLOAT = /^(-?)(\d)(?:\.(\d{1,20}))?e([+-]\d{1,3})$/;
/** Exponents beyond this are no amounts, and would only buy a very long number. */
const EXPONENT_MAX = 40;

export const NOUGHT: Decimal = { digits: 0n, scale: 0 };

/**
 * Reads a JSON number, or a string that is a plain decimal such as `"1234.50"`.
 * @returns null for anything else: a list, `"1,234.50"`, `"EUR 5"`, a number beyond ±10^40.
 */
export function decimalOf(value: Json | undefined): Decimal | null {
  if (typeof value === "number") return Number.isFinite(value) ? fromText(String(value)) : null;
  return typeof value === "string" ? fromText(value) : null;
}

export function plus(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { digits: at(left, scale) + at(right, scale), scale };
}

export function times(left: Decimal, right: Decimal): Decimal {
  return { digits: left.digits * right.digits, scale: left.scale + right.scale };
}

/** Whether the two differ by at most the tolerance. */
export function within(left: Decimal, right: Decimal, tolerance: Decimal): boolean {
  const scale = Math.max(left.scale, right.scale, tolerance.scale);
  const difference = at(left, scale) - at(right, scale);
  return (difference < 0n ? -difference : difference) <= at(tolerance, scale);
}

/** Negative when left is the smaller one, 0 when the two are equal, however they are written. */
export function compare(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const [a, b] = [at(left, scale), at(right, scale)];
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isWhole(value: Decimal): boolean {
  return value.digits % 10n ** BigInt(value.scale) === 0n;
}

/** Writes the number without needless zeros: `12.5`. Equal numbers give equal texts. */
export function textOf(value: Decimal): string {
  const magnitude = (value.digits < 0n ? -value.digits : value.digits).toString().padStart(value.scale + 1, "0");
  const units = magnitude.slice(0, magnitude.length - value.scale);
  const fraction = magnitude.slice(magnitude.length - value.scale).replace(/0+$/, "");
  return `${value.digits < 0n ? "-" : ""}${units}${fraction === "" ? "" : `.${fraction}`}`;
}

function fromText(text: string): Decimal | null {
  const plain = PLAIN.exec(text);
  if (plain !== null) return scaled(plain[1], plain[2], plain[3], 0);
  const float = FLOAT.exec(text);
  const exponent = Number(float?.[4] ?? 0);
  if (float === null || Math.abs(exponent) > EXPONENT_MAX) return null;
  return scaled(float[1], float[2], float[3], exponent);
}

function scaled(sign = "", units = "0", fraction = "", exponent: number): Decimal {
  const magnitude = BigInt(units + fraction);
  const scale = fraction.length - exponent;
  const digits = scale < 0 ? magnitude * 10n ** BigInt(-scale) : magnitude;
  return { digits: sign === "-" ? -digits : digits, scale: Math.max(scale, 0) };
}

function at(value: Decimal, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale);
}
