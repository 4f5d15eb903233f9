/**
 * Amounts inside stored JSON, written as `{"nanos": "40000000"}`: JSON numbers are doubles. Only for values of ours with
 * no free-form JSON in them, so that the mark cannot be mistaken for something else. A field that is added later, or a
 * whole price shape, needs no change here.
 */
import { nanos } from "@contingent/core/money";

/** The value with each amount in it marked. */
export function markAmounts(value: unknown): unknown {
  if (typeof value === "bigint") return { nanos: value.toString() };
  return mapValues(value, markAmounts);
}

/** The value that `markAmounts` was given. */
export function readAmounts(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "nanos" in value && typeof value.nanos === "string") {
    return nanos(BigInt(value.nanos));
  }
  return mapValues(value, readAmounts);
}

function mapValues(value: unknown, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]));
}
