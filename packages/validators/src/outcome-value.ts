/** The numbers in an outcome that are recorded with its verdict: what its price depends on, what it says of itself. */
import type { Json } from "@contingent/core/json";
import { amountOfDecimal, type Nanos } from "@contingent/core/money";
import type { PriceTerms } from "@contingent/core/pricing/price";
import { decimalOf } from "./decimal.ts";
import { valueAt } from "./pointer.ts";

/**
 * Reads the number that the terms point at, as a JSON number or a plain decimal such as `"1234.50"`, to nine digits
 * after the point. Null when the price depends on none, or there is none: a text that would have to be interpreted
 * (`"1,234.50"`) is none.
 */
export function valueIn(output: Json, price: PriceTerms): Nanos | null {
  if (price.shape !== "value") return null;
  const number = decimalOf(valueAt(output, price.path));
  return number === null ? null : amountOfDecimal(number);
}

/** The numbers at these pointers; what is no number is left out. */
export function featuresIn(output: Json, features: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  const found = Object.entries(features).map(([name, at]) => [name, valueAt(output, at)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}
