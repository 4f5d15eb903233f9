/** A provider's invoice against what was booked for its calls. */
import type { Nanos } from "../money.ts";
import { checked, type Transaction } from "./books.ts";
import { either } from "./statements.ts";

/**
 * The difference between what a provider has invoiced for a period and what is booked for it. Positive: the calls were
 * dearer than booked. `number` counts the invoices for the same period: a later one books the difference to the earlier.
 */
export function invoiceDrift(drift: {
  readonly provider: string;
  /** First and last day, such as `2026-11-01..2026-11-30`. */
  readonly period: string;
  readonly number: number;
  readonly amount: Nanos;
}): Transaction {
  const { provider, period, number, amount } = drift;
  const postings = either({ class: "cogs:drift", of: provider }, { class: "payable", of: provider }, amount);
  const key = `recon:${provider}:${period}:${number}`;
  return checked({ kind: "reconciliation", key, jobId: null, customerId: null, postings });
}
