import { max, min, type Nanos, share, ZERO } from "../../money.ts";
import type { PricedOutcome } from "../price.ts";

/**
 * A share of a number that the outcome itself carries: rate × value, but at least the minimum and at most the maximum.
 * Example: 2 % of `/recovered_amount`, at most 50 dollars.
 *
 * Only a success is charged. A partial verdict says that something in the outcome is not right, and that may be the very
 * number; rate × number × score, which was the alternative, would charge for a number that nobody vouches for.
 */
export interface ValueTerms {
  readonly shape: "value";
  /** 0 to 1,000: 0.02 is 2 %, 3 is three units of the currency for each unit of the number. */
  readonly rate: number;
  /** JSON pointer to the number in the outcome. It is read once, when the verdict is reached, and recorded with it. */
  readonly path: string;
  readonly min: Nanos;
  readonly max: Nanos;
}

export function valuePrice(terms: ValueTerms, outcome: PricedOutcome): Nanos {
  if (outcome.resolution !== "success") return ZERO;
  const value = max(outcome.value ?? ZERO, ZERO);
  return min(max(share(value, terms.rate), terms.min), terms.max);
}

export function valueHold(terms: ValueTerms): Nanos {
  return terms.max;
}
