/** What can happen to a charge after it is booked: it is disputed, credited, and earned when nobody can dispute it any more. */
import type { CreditNoteId, CustomerId, DisputeId, GrantId, JobId } from "../ids.ts";
import type { Nanos } from "../money.ts";
import type { Account } from "./accounts.ts";
import { checked, prepaid, type Transaction, transfer } from "./books.ts";

const ACCRUED: Account = { class: "revenue:accrued", of: "" };
const DISPUTED: Account = { class: "revenue:disputed", of: "" };

interface OfACharge {
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly amount: Nanos;
}

/** The customer contests a charge, or a part of it: so much of the revenue is in doubt. */
export function disputeOpened(dispute: OfACharge & { readonly id: DisputeId }): Transaction {
  const { id, jobId, customerId, amount } = dispute;
  const postings = transfer(ACCRUED, DISPUTED, amount);
  return checked({ kind: "dispute", key: `dispute:${id}:opened`, jobId, customerId, postings });
}

/** The dispute is decided, either way: nothing is in doubt any more. What the customer gets back is a credit note of its own. */
export function disputeResolved(dispute: OfACharge & { readonly id: DisputeId }): Transaction {
  const { id, jobId, customerId, amount } = dispute;
  const postings = transfer(DISPUTED, ACCRUED, amount);
  return checked({ kind: "dispute", key: `dispute:${id}:resolved`, jobId, customerId, postings });
}

/** Gives a charge back, in part or whole: as prepaid money in a grant of its own, or off what the customer owes. */
export function creditNote(
  note: OfACharge & { readonly id: CreditNoteId; readonly grantId: GrantId | null },
): Transaction {
  const { id, jobId, customerId, amount, grantId } = note;
  const to: Account = grantId === null ? { class: "receivable:unbilled", of: customerId } : prepaid(grantId);
  const postings = transfer({ class: "contra_revenue:credit", of: "" }, to, amount);
  return checked({ kind: "credit", key: `credit:${id}`, jobId, customerId, postings });
}

/** The dispute window of a charge is over: its revenue is earned. */
export function earned({ jobId, customerId, amount }: OfACharge): Transaction {
  const postings = transfer(ACCRUED, { class: "revenue:earned", of: "" }, amount);
  return checked({ kind: "earn", key: `earn:${jobId}`, jobId, customerId, postings });
}
