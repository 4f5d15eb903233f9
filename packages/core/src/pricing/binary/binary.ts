import { type Nanos, ZERO } from "../../money.ts";
import type { PricedOutcome } from "../price.ts";

/** All or nothing: the whole amount for a success, nothing for anything less (a partial outcome is given away). */
export interface BinaryTerms {
  readonly shape: "binary";
  readonly amount: Nanos;
}

export function binaryPrice(terms: BinaryTerms, outcome: PricedOutcome): Nanos {
  return outcome.resolution === "success" ? terms.amount : ZERO;
}

export function binaryHold(terms: BinaryTerms): Nanos {
  return terms.amount;
}
