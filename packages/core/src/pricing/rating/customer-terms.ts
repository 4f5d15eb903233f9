/**
 * What one customer has agreed with the operator, beside and above the list prices of the outcome types.
 *
 * `prices` replaces a list price, so it acts on acceptance: it decides the hold and the charge. Everything else is about
 * a whole period and acts on its statement only: how many outcomes there were is not known before.
 */
import type { Nanos } from "../../money.ts";
import type { PriceTerms } from "../price.ts";

/** What the n-th billed outcome of a period pays of its price. Outcomes before the first band pay all of it. */
export interface PeriodBands {
  /** `graduated`: each outcome pays by its own number. `volume`: all pay by the number that the period ended with. */
  readonly mode: "graduated" | "volume";
  /** Ascending by `fromOutcome`, which is at least 1 and counts the free outcomes too; fractions from 0 to 1. */
  readonly bands: readonly { readonly fromOutcome: number; readonly fraction: number }[];
}

/** What holds for one outcome type over a period. */
export interface PeriodTerms {
  /** The first so many billed outcomes of each period are free. */
  readonly allowance: number;
  readonly bands: PeriodBands | null;
}

/** One immutable version of a customer's terms. The keys of both records are names of outcome types. */
export interface CustomerTerms {
  readonly prices: Readonly<Record<string, PriceTerms>>;
  readonly outcomeTypes: Readonly<Record<string, PeriodTerms>>;
  /** Off every line, 0 to 1. */
  readonly discountShare: number;
  /** Off the statement, at most what is left of it. */
  readonly discountFixed: Nanos;
  /** The least that the lines of a period come to. */
  readonly commitmentMinimum: Nanos;
}

const NOTHING_SPECIAL: PeriodTerms = { allowance: 0, bands: null };

/** The price of an outcome type for this customer: its own, else the list price. */
export function priceTermsFor(terms: CustomerTerms, outcomeType: string, listPrice: PriceTerms): PriceTerms {
  return own(terms.prices, outcomeType) ?? listPrice;
}

/** What the customer has agreed for a period's outcomes of this type. */
export function periodTermsFor(terms: CustomerTerms, outcomeType: string): PeriodTerms {
  return own(terms.outcomeTypes, outcomeType) ?? NOTHING_SPECIAL;
}

/** An outcome type may well be called `constructor`, which every object answers to. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
