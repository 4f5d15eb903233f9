/** Transactions on their way into the books, dated by the clock of the customer whose money they move. */
import type { Transaction } from "@contingent/core/books/books";
import type { Currency } from "@contingent/core/money";
import { transactionRow } from "@contingent/db/commit";
import type { Queryable } from "@contingent/db/pool";

export interface Dated {
  readonly transaction: Transaction;
  readonly currency: Currency;
  /** Ms since the epoch. */
  readonly atMs: number;
}

/** Books them, all in one statement. The caller has locked the accounts that the dates come from. */
export async function book(client: Queryable, entries: readonly Dated[]): Promise<void> {
  const rows = entries.map(({ transaction, currency, atMs }) => ({
    ...transactionRow(transaction, currency),
    dated_at: new Date(atMs).toISOString(),
  }));
  await client.query({ name: "book", text: "SELECT book($1::jsonb)", values: [JSON.stringify(rows)] });
}
