/**
 * The price that a cohort's costs call for: a point estimate. All costs, those of failed jobs too, are borne by what was
 * billed; the mean cost of the jobs that succeeded would be far too low (0.64 of the truth in a cascade of three tiers).
 */
import { add, dividedUp, type Nanos } from "../money.ts";
import { isLess, minus, NONE, ONE, plus, type Ratio } from "../ratio.ts";
import type { Cohort } from "./cohort.ts";

/** Fewer closed jobs than this say nothing. */
export const COHORT_JOBS_MIN = 30;

/** What of a price is to be left, and what taking the payment costs. */
export interface PricingGoal {
  /** Share of the price that is left after all costs. */
  readonly margin: Ratio;
  /** Share of the price that the payment costs. */
  readonly feeShare: Ratio;
  /** What each payment costs besides. */
  readonly feeFixed: Nanos;
}

export type Recommendation =
  | { readonly status: "insufficient_data"; readonly reason: "too_few_jobs" | "nothing_billed" }
  | {
      readonly status: "point_estimate";
      /** κ = ΣC ÷ ΣB. */
      readonly costPerBillable: Nanos;
      /** At this price nothing is earned and nothing lost. */
      readonly floor: Nanos;
      readonly target: Nanos;
    };

/** Whether any price reaches the goal: margin and fees must leave something to pay the costs with. */
export function isAttainable({ margin, feeShare }: PricingGoal): boolean {
  return isLess(plus(margin, feeShare), ONE);
}

/**
 * Floor and target price of the cohort, each the least number of nanos that suffices:
 * `P0 = (κ + fixed) ÷ (1 − share)` and `P = (κ + fixed) ÷ (1 − margin − share)`.
 * @throws RangeError when the goal is not attainable
 */
export function recommendPrice(cohort: Cohort, goal: PricingGoal): Recommendation {
  if (!isAttainable(goal)) throw new RangeError("margin and fee share leave nothing to pay the costs with");
  if (cohort.jobs < COHORT_JOBS_MIN) return { status: "insufficient_data", reason: "too_few_jobs" };
  if (!isLess(NONE, cohort.billable)) return { status: "insufficient_data", reason: "nothing_billed" };
  const costPerBillable = dividedUp(cohort.cost, cohort.billable);
  const due = add(costPerBillable, goal.feeFixed);
  const afterFees = minus(ONE, goal.feeShare);
  return {
    status: "point_estimate",
    costPerBillable,
    floor: dividedUp(due, afterFees),
    target: dividedUp(due, minus(afterFees, goal.margin)),
  };
}
