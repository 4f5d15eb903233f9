/**
 * A cohort: the closed jobs of one version, as the sums that a price is made of. Open jobs are left out: what they will
 * cost, and whether they will be billed, is not known yet.
 */
import { add, type Nanos, ratioOf, subtract, ZERO } from "../money.ts";
import type { PriceTerms } from "../pricing/price.ts";
import { NONE, plus, type Ratio, ratio } from "../ratio.ts";

/** The closed jobs that were accepted under the same price. */
export interface PricedJobs {
  readonly price: PriceTerms;
  readonly success: number;
  readonly partial: number;
  readonly failed: number;
  /** Everything they cost: all attempts and their validation, those of failed jobs included. */
  readonly cost: Nanos;
  /** How many of them were charged. */
  readonly billed: number;
  readonly charged: Nanos;
  /** What was given back of the charges. */
  readonly credited: Nanos;
}

export interface Cohort {
  readonly jobs: number;
  readonly success: number;
  readonly partial: number;
  readonly failed: number;
  /** ΣC. */
  readonly cost: Nanos;
  /** ΣB: how many times its price the jobs brought in, net of credits. */
  readonly billable: Ratio;
}

const EMPTY: Cohort = { jobs: 0, success: 0, partial: 0, failed: 0, cost: ZERO, billable: NONE };

/** All jobs of a version, however many prices (customers' own among them) they were accepted under. */
export function cohortOf(parts: readonly PricedJobs[]): Cohort {
  return parts.reduce(
    (whole, part) => ({
      jobs: whole.jobs + part.success + part.partial + part.failed,
      success: whole.success + part.success,
      partial: whole.partial + part.partial,
      failed: whole.failed + part.failed,
      cost: add(whole.cost, part.cost),
      billable: plus(whole.billable, billableOf(part)),
    }),
    EMPTY,
  );
}

/**
 * The sum of the billable fractions: what was charged and kept, in units of the price. A half-price partial counts as a
 * half, a band of one and a half as that, a credited charge as nothing.
 */
function billableOf({ price, billed, charged, credited }: PricedJobs): Ratio {
  const kept = subtract(charged, credited);
  if (billed === 0 || charged <= 0n) return NONE;
  const unit = nominalAmount(price);
  if (unit !== null) return ratioOf(kept, unit);
  const { numerator, denominator } = ratioOf(kept, charged);
  return ratio(BigInt(billed) * numerator, denominator);
}

/**
 * What a billable fraction of one is, in money: the amount that the shape's prices are fractions of. Null where there is
 * none, because each outcome brings a value of its own; then it is the mean charge, and a recommended price is what the
 * charges have to come to on average.
 */
export function nominalAmount(price: PriceTerms): Nanos | null {
  switch (price.shape) {
    case "binary":
    case "tiered":
    case "linear":
      return price.amount;
    case "value":
      return null;
  }
}
