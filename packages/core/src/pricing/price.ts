/**
 * What an outcome costs the customer: a pure function of the pinned terms and the verdict, one folder per shape.
 * The hold taken on acceptance is the shape's maximum, so that 0 ≤ price ≤ hold always.
 */
import type { Nanos } from "../money.ts";
import { type BinaryTerms, binaryHold, binaryPrice } from "./binary/binary.ts";
import { type LinearTerms, linearHold, linearPrice } from "./linear/linear.ts";
import { type TieredTerms, tieredHold, tieredPrice } from "./tiered/tiered.ts";
import { type ValueTerms, valueHold, valuePrice } from "./value/value.ts";

export type PriceTerms = BinaryTerms | TieredTerms | LinearTerms | ValueTerms;

/** What a verdict says that a price may depend on. */
export interface PricedOutcome {
  readonly resolution: "success" | "partial" | "failure";
  /** 0 to 1. */
  readonly score: number;
  /**
   * The number that the outcome carries, recorded with the verdict; null when the price depends on none, or there was
   * none. Null and negative count as nothing.
   */
  readonly value: Nanos | null;
}

/** What the customer pays for this outcome. A failure costs nothing under every shape. */
export function price(terms: PriceTerms, outcome: PricedOutcome): Nanos {
  switch (terms.shape) {
    case "binary":
      return binaryPrice(terms, outcome);
    case "tiered":
      return tieredPrice(terms, outcome);
    case "linear":
      return linearPrice(terms, outcome);
    case "value":
      return valuePrice(terms, outcome);
  }
}

/** The most a job under these terms can cost the customer: what is held when it is accepted. */
export function holdFor(terms: PriceTerms): Nanos {
  switch (terms.shape) {
    case "binary":
      return binaryHold(terms);
    case "tiered":
      return tieredHold(terms);
    case "linear":
      return linearHold(terms);
    case "value":
      return valueHold(terms);
  }
}

/** Whether two outcomes that differ in their scores alone may cost something else. */
export function dependsOnScore(terms: PriceTerms): boolean {
  return terms.shape === "tiered" || terms.shape === "linear";
}
