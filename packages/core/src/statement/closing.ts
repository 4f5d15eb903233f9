/** What closing a statement books, as it follows from its totals. */
import type { GrantKind } from "../books/grants.ts";
import type { Transaction } from "../books/books.ts";
import { type Adjustment, ADJUSTMENTS, adjusted, billed, commitmentTrueUp, rounded } from "../books/statements.ts";
import type { CustomerId, GrantId, StatementId } from "../ids.ts";
import type { Nanos } from "../money.ts";
import type { Split, StatementTotals } from "./totals.ts";

/** Prepaid money that comes back to the customer. */
export interface Rebate {
  readonly id: GrantId;
  readonly kind: GrantKind;
  readonly ref: string;
  readonly amount: Nanos;
}

export interface Closing {
  readonly transactions: readonly Transaction[];
  readonly rebates: readonly Rebate[];
}

/** Each reduction in a transaction of its own, one for the true-up, one for rounding, and the move from unbilled to billed. */
export function closingOf(
  statement: { readonly id: StatementId; readonly customerId: CustomerId },
  totals: StatementTotals,
  newGrantId: () => GrantId,
): Closing {
  const { id, customerId } = statement;
  const rebates: Rebate[] = [];
  const adjustments = ADJUSTMENTS.flatMap((because) => {
    const { onAccount, prepaid } = reductionOf(totals, because);
    const booked: Transaction[] = [];
    if (onAccount > 0n) booked.push(adjusted({ id, customerId, amount: onAccount, because, grantId: null }));
    if (prepaid > 0n) {
      const grantId = newGrantId();
      rebates.push({ id: grantId, kind: "rebate", ref: `${id}:${because}`, amount: prepaid });
      booked.push(adjusted({ id, customerId, amount: prepaid, because, grantId }));
    }
    return booked;
  });
  const { commitment, rounding, amountDue } = totals;
  return {
    rebates,
    transactions: [
      ...adjustments,
      ...(commitment === 0n ? [] : [commitmentTrueUp({ id, customerId, amount: commitment })]),
      ...(rounding === 0n ? [] : [rounded({ id, customerId, amount: rounding })]),
      ...(amountDue === 0n ? [] : [billed({ id, customerId, amount: amountDue })]),
    ],
  };
}

function reductionOf(totals: StatementTotals, because: Adjustment): Split {
  switch (because) {
    case "allowance":
      return totals.allowance;
    case "bands":
      return totals.bands;
    case "discount":
      return totals.discount;
    case "fixed_discount":
      return totals.fixedDiscount;
  }
}
