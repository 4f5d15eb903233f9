/**
 * What a period's lines come to on the whole, by the terms in force at its end.
 *
 * Credits do not count towards the commitment: if they did, the true-up would take back what a credit note gave, and a
 * dispute would be worthless to everybody below the minimum. So the minimum holds before credits, and a credited
 * customer pays less than it.
 *
 * A credit for an outcome of this very period leaves less for the fixed discount to come off: the two together cannot
 * pay a customer out for what it never paid. A credit for an earlier period gives back money from a statement that is
 * done, so it leaves this period's discount alone, and may well turn the total negative: that is a balance in the
 * customer's favour.
 */
import { add, max, min, type Nanos, roundedToMinorUnit, subtract, ZERO } from "../../money.ts";
import type { CustomerTerms } from "./customer-terms.ts";

/** The sums of a period; none is negative. */
export interface PeriodSums {
  /** Of the lines, each after its own reductions. */
  readonly net: Nanos;
  /** Credit notes of this period, for charges of this period: at most what their lines net. */
  readonly creditsOfPeriod: Nanos;
  /** Credit notes of this period, for charges of earlier ones. */
  readonly creditsOfEarlierPeriods: Nanos;
}

export interface RatedStatement {
  readonly fixedDiscount: Nanos;
  readonly commitmentTrueUp: Nanos;
  /** `net − fixedDiscount + commitmentTrueUp`: never less than the minimum. */
  readonly beforeCredits: Nanos;
  readonly credits: Nanos;
  /** `beforeCredits − credits`, exact: negative when the customer is owed. */
  readonly total: Nanos;
}

export function rateStatement(
  terms: Pick<CustomerTerms, "discountFixed" | "commitmentMinimum">,
  sums: PeriodSums,
): RatedStatement {
  const left = max(subtract(sums.net, sums.creditsOfPeriod), ZERO);
  const fixedDiscount = min(terms.discountFixed, left);
  const discounted = subtract(sums.net, fixedDiscount);
  const commitmentTrueUp = max(subtract(terms.commitmentMinimum, discounted), ZERO);
  const beforeCredits = add(discounted, commitmentTrueUp);
  const credits = add(sums.creditsOfPeriod, sums.creditsOfEarlierPeriods);
  return { fixedDiscount, commitmentTrueUp, beforeCredits, credits, total: subtract(beforeCredits, credits) };
}

/** A total in whole cents, and the difference that is booked for it: `total + rounding = rounded`. */
export function roundToMinorUnit(total: Nanos): { readonly rounded: Nanos; readonly rounding: Nanos } {
  const rounded = roundedToMinorUnit(total);
  return { rounded, rounding: subtract(rounded, total) };
}
