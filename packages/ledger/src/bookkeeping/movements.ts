import { BOOKED_DAY } from "./chain.ts";

/** What transactions moved, by account and booked day. Which ones is an SQL condition on `ledger_transaction t`. */
export function movementsOf(which: string): string {
  return movements(BOOKED_DAY, `ledger_transaction t JOIN posting p ON p.transaction_id = t.id WHERE ${which}`);
}

/**
 * The same of a large part of the books, in half the time: by the database transaction, which says when it was, and not by
 * the ledger transaction. The day is missing where it says different days.
 */
export function movementsByXact(which: string): string {
  const days = `SELECT t.xact, CASE WHEN min(${BOOKED_DAY}) = max(${BOOKED_DAY}) THEN min(${BOOKED_DAY}) END AS day
                  FROM ledger_transaction t WHERE ${which} GROUP BY t.xact`;
  return movements("d.day", `(${days}) d JOIN posting p ON p.xact = d.xact`);
}

function movements(day: string, postings: string): string {
  return `
  SELECT p.account_class, p.account_of, p.currency, ${day} AS day,
         coalesce(sum(p.amount_nanos) FILTER (WHERE p.amount_nanos > 0), 0)::bigint AS debit_nanos,
         coalesce(-sum(p.amount_nanos) FILTER (WHERE p.amount_nanos < 0), 0)::bigint AS credit_nanos,
         count(*) AS postings
    FROM ${postings}
   GROUP BY 1, 2, 3, 4`;
}
