/** What several forms of a statement show, beside the totals themselves. */
import { type Nanos, negate, sum, ZERO } from "@contingent/core/money";
import type { JobLine } from "@contingent/core/statement/lines";
import type { Split, StatementTotals } from "@contingent/core/statement/totals";

export function chargedOf(line: JobLine): Nanos {
  return line.charge?.amount ?? ZERO;
}

/** Reductions of what prepaid money had paid for. Credits came back when they were given. */
export function returnedToPrepaid({ allowance, bands, discount, fixedDiscount }: StatementTotals): Nanos {
  return sum([allowance, bands, discount, fixedDiscount].map((split) => split.prepaid));
}

export type WholeAdjustment = "fixed_discount" | "commitment_true_up" | "rounding";

/** What belongs to no line: with the lines it makes the statement. None of them is zero. */
export function wholeAdjustments(
  totals: StatementTotals,
): readonly { readonly kind: WholeAdjustment; readonly billing: keyof Split; readonly amount: Nanos }[] {
  const all = [
    { kind: "fixed_discount", billing: "onAccount", amount: negate(totals.fixedDiscount.onAccount) },
    { kind: "fixed_discount", billing: "prepaid", amount: negate(totals.fixedDiscount.prepaid) },
    { kind: "commitment_true_up", billing: "onAccount", amount: totals.commitment },
    { kind: "rounding", billing: "onAccount", amount: totals.rounding },
  ] as const;
  return all.filter(({ amount }) => amount !== 0n);
}
