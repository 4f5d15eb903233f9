import { BOOKED_DAY } from "./chain.ts";

/** What transactions moved, by account and booked day. Which ones is an SQL condition on `ledger_transaction t`. */
export function movementsOf(which: string): string {
  return `
  SELECT p.account_class, p.account_of, p.currency, ${BOOKED_DAY} AS day,
         coalesce(sum(p.amount_nanos) FILTER (WHERE p.amount_nanos > 0), 0)::bigint AS debit_nanos,
         coalesce(-sum(p.amount_nanos) FILTER (WHERE p.amount_nanos < 0), 0)::bigint AS credit_nanos,
         count(*) AS postings
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
   WHERE ${which}
   GROUP BY 1, 2, 3, 4`;
}
