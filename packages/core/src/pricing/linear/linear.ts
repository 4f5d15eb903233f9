import { max, min, type Nanos, share, ZERO } from "../../money.ts";
import type { PricedOutcome } from "../price.ts";

/** In proportion to the score: amount × score, but at least the floor and at most the ceiling. Example: 0.90 of a dollar for 0.9. */
export interface LinearTerms {
  readonly shape: "linear";
  /** The price of a score of 1. */
  readonly amount: Nanos;
  /** What any delivered outcome costs, a partial one too. */
  readonly floor: Nanos;
  readonly ceiling: Nanos;
}

export function linearPrice(terms: LinearTerms, outcome: PricedOutcome): Nanos {
  return outcome.resolution === "failure" ? ZERO : within(terms, share(terms.amount, outcome.score));
}

export function linearHold(terms: LinearTerms): Nanos {
  return within(terms, terms.amount);
}

/** The ceiling has the last word: terms that contradict themselves must not charge more than they say at most. */
function within({ floor, ceiling }: LinearTerms, amount: Nanos): Nanos {
  return min(max(amount, floor), ceiling);
}
