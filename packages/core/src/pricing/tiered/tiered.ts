import { max, type Nanos, share, ZERO } from "../../money.ts";
import type { PricedOutcome } from "../price.ts";

/** Score bands: each pays a fraction of the amount. Example: from 0.5 half, from 0.9 all, from 0.99 one and a half. */
export interface TieredTerms {
  readonly shape: "tiered";
  readonly amount: Nanos;
  /** Ascending by `fromScore`, the fractions ascending too. A score below the first band costs nothing. */
  readonly bands: readonly { readonly fromScore: number; readonly fraction: number }[];
}

export function tieredPrice(terms: TieredTerms, outcome: PricedOutcome): Nanos {
  if (outcome.resolution === "failure") return ZERO;
  const band = terms.bands.findLast((b) => b.fromScore <= outcome.score);
  return band === undefined ? ZERO : share(terms.amount, band.fraction);
}

export function tieredHold(terms: TieredTerms): Nanos {
  return terms.bands.reduce((most, band) => max(most, share(terms.amount, band.fraction)), ZERO);
}
