/** Money that a customer has paid in, or was given: the transactions that bring it in and that end it. */
import type { CustomerId, GrantId } from "../ids.ts";
import type { Nanos } from "../money.ts";
import { checked, prepaid, type Transaction, transfer } from "./books.ts";

/** `top_up` was paid for, `promotion` was given away; `credit` and `rebate` came back from charges (credit notes, discounts). */
export const GRANT_KINDS = ["top_up", "promotion", "credit", "rebate"] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

export interface NewGrant {
  readonly id: GrantId;
  readonly customerId: CustomerId;
  /** The operator's own name for it: the same reference never brings money in twice. */
  readonly ref: string;
  readonly amount: Nanos;
}

/** Money that the customer has paid in. */
export function topUp({ id, customerId, ref, amount }: NewGrant): Transaction {
  const postings = transfer({ class: "cash", of: "" }, prepaid(id), amount);
  return checked({ kind: "top_up", key: `topup:${customerId}:${ref}`, jobId: null, customerId, postings });
}

/** Money that the operator gives away. */
export function promotion({ id, customerId, ref, amount }: NewGrant): Transaction {
  const postings = transfer({ class: "promo_issued", of: "" }, prepaid(id), amount);
  return checked({ kind: "grant", key: `grant:${customerId}:${ref}`, jobId: null, customerId, postings });
}

/**
 * What is left of a grant when it expires. Holds that it had paid for may give money back later, which then expires too:
 * hence the number.
 */
export function expiry(grant: {
  readonly id: GrantId;
  readonly customerId: CustomerId;
  readonly left: Nanos;
  readonly number: number;
}): Transaction {
  const { id, customerId, left, number } = grant;
  const key = number === 1 ? `expire:${id}` : `expire:${id}:${number}`;
  const postings = transfer(prepaid(id), { class: "breakage", of: "" }, left);
  return checked({ kind: "expiry", key, jobId: null, customerId, postings });
}
