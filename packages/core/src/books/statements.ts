/** What closing a period books for a customer, and what paying a statement does. */
import type { CustomerId, GrantId, StatementId } from "../ids.ts";
import { max, negate, type Nanos, ZERO } from "../money.ts";
import type { Account } from "./accounts.ts";
import { checked, prepaid, type Posting, type Transaction, transfer } from "./books.ts";

interface OfAStatement {
  readonly id: StatementId;
  readonly customerId: CustomerId;
  readonly amount: Nanos;
}

/** What lowers the prices of a period's lines after the event. */
export const ADJUSTMENTS = ["allowance", "bands", "discount", "fixed_discount"] as const;
export type Adjustment = (typeof ADJUSTMENTS)[number];

/**
 * A reduction of the period's charges, each of its kind in a transaction of its own: off what the customer owes, or as
 * prepaid money in a grant (for charges that were paid from prepaid money).
 */
export function adjusted(
  adjustment: OfAStatement & { readonly because: Adjustment; readonly grantId: GrantId | null },
): Transaction {
  const { id, customerId, amount, because, grantId } = adjustment;
  const to: Account = grantId === null ? { class: "receivable:unbilled", of: customerId } : prepaid(grantId);
  const postings = transfer({ class: "contra_revenue:adjustment", of: because }, to, amount);
  const key = grantId === null ? `adjust:${id}:${because}` : `adjust:${id}:${because}:prepaid`;
  return checked({ kind: "adjustment", key, jobId: null, customerId, postings });
}

/** What is missing to the minimum that the customer has committed to. */
export function commitmentTrueUp({ id, customerId, amount }: OfAStatement): Transaction {
  const postings = transfer(unbilled(customerId), { class: "revenue:commitment", of: "" }, amount);
  return checked({ kind: "commitment", key: `commit:${id}`, jobId: null, customerId, postings });
}

/** What rounding the statement to the currency's minor unit adds (or takes away, when negative). */
export function rounded({ id, customerId, amount }: OfAStatement): Transaction {
  const postings = either(unbilled(customerId), { class: "rounding", of: "" }, amount);
  return checked({ kind: "rounding", key: `round:${id}`, jobId: null, customerId, postings });
}

/** The statement is closed: what was unbilled is billed. Negative: its credits exceed its charges, and the operator owes. */
export function billed({ id, customerId, amount }: OfAStatement): Transaction {
  const postings = either({ class: "receivable:billed", of: customerId }, unbilled(customerId), amount);
  return checked({ kind: "statement", key: `stmt:${id}`, jobId: null, customerId, postings });
}

/** The customer has paid a statement, or a part of it. */
export function paid(payment: OfAStatement & { readonly ref: string }): Transaction {
  const { id, customerId, amount, ref } = payment;
  const postings = transfer({ class: "cash", of: "" }, { class: "receivable:billed", of: customerId }, amount);
  return checked({ kind: "payment", key: `pay:${id}:${ref}`, jobId: null, customerId, postings });
}

function unbilled(customerId: CustomerId): Account {
  return { class: "receivable:unbilled", of: customerId };
}

/** Moves the amount from the second account to the first one, or back when it is negative. */
export function either(left: Account, right: Account, amount: Nanos): readonly Posting[] {
  return amount > 0n ? transfer(left, right, amount) : transfer(right, left, max(ZERO, negate(amount)));
}
