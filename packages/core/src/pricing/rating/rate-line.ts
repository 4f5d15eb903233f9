/**
 * What one charged outcome comes to on its period's statement. The charge itself stays what it was; the reductions are
 * booked when the period is closed.
 *
 * The order is allowance → band → percentage, each of what the one before has left. It cannot be seen in the net, up to a
 * nano, but decides which reduction is shown for what: a free outcome was free, it was not discounted as well.
 */
import { type Nanos, share, subtract, ZERO } from "../../money.ts";
import { type CustomerTerms, type PeriodBands, periodTermsFor } from "./customer-terms.ts";

export interface LineToRate {
  readonly outcomeType: string;
  /** The how-manieth charged outcome of the customer, outcome type and period this is, from 1; free ones count. */
  readonly ordinal: number;
  /** How many of them the period has; so far, while it is open. */
  readonly total: number;
  /** What was charged. */
  readonly price: Nanos;
}

/** Reductions, none negative, and what they leave: `allowance + bands + discount + net` is the price. */
export interface RatedLine {
  readonly allowance: Nanos;
  readonly bands: Nanos;
  readonly discount: Nanos;
  readonly net: Nanos;
}

/** Rates a line by the terms that its job was accepted under. What is left is rounded down to a nano at each step. */
export function rateLine(terms: CustomerTerms, line: LineToRate): RatedLine {
  const period = periodTermsFor(terms, line.outcomeType);
  const billable = line.ordinal <= period.allowance ? ZERO : line.price;
  const banded = share(billable, fractionOf(period.bands, line));
  const net = share(banded, 1 - terms.discountShare);
  return {
    allowance: subtract(line.price, billable),
    bands: subtract(billable, banded),
    discount: subtract(banded, net),
    net,
  };
}

function fractionOf(period: PeriodBands | null, { ordinal, total }: LineToRate): number {
  if (period === null) return 1;
  const reached = period.mode === "graduated" ? ordinal : total;
  return period.bands.findLast(({ fromOutcome }) => fromOutcome <= reached)?.fraction ?? 1;
}
