/**
 * Charges whose dispute window is over are earned, and those that are disputed are not: each once, however many processes
 * look for them.
 *
 * Three steps. Due charges are found by their index, without a lock. Their customers' accounts are locked, in the order
 * of their ids: from then on no dispute is opened and no period closed. What is still waiting then, and still not
 * disputed, is taken out of the queue and booked.
 */
import { earned } from "@contingent/core/books/after-charge";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { type Currency, nanos } from "@contingent/core/money";
import { lockClocks } from "@contingent/db/account-lock";
import { type Pool, transaction } from "@contingent/db/pool";
import { book } from "./book.ts";

/** Looked up for each charge by its index: as NOT EXISTS it is planned as a read of all disputes while there are few. */
const UNDISPUTED = "(SELECT d.id FROM dispute d WHERE d.open_job_id = u.job_id) IS NULL";

/** Times are by the customer's clock: the index is searched by the clock that is furthest ahead, as for due jobs. */
const DUE = `
  SELECT u.job_id, u.customer_id
    FROM unearned u
   -- Looked up for each charge by its index: as a plain join it may be planned the other way round, from all accounts.
   CROSS JOIN LATERAL (SELECT clock_offset FROM customer_account WHERE customer_id = u.customer_id OFFSET 0) a
   WHERE u.due_at <= now() + (SELECT clock_offset_max()) AND u.due_at <= now() + a.clock_offset
     AND ${UNDISPUTED}
   ORDER BY u.due_at LIMIT $1`;

const TAKE = `
  DELETE FROM unearned u USING charge c
   WHERE u.job_id = ANY($1::text[]) AND c.job_id = u.job_id
     AND ${UNDISPUTED}
  RETURNING u.job_id, u.customer_id, u.amount_nanos, c.currency`;

interface TakenRow {
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly amount_nanos: bigint;
  readonly currency: Currency;
}

/** Earns up to `limit` charges that are due; returns how many were found to be. Repeat until it answers fewer. */
export async function earnDue(pool: Pool, limit: number): Promise<number> {
  return await transaction(pool, async (client) => {
    const due = await client.query<Pick<TakenRow, "job_id" | "customer_id">>({
      name: "due-charges",
      text: DUE,
      values: [limit],
    });
    if (due.rows.length === 0) return 0;
    const clocks = await lockClocks(
      client,
      due.rows.map((row) => row.customer_id),
    );
    const { rows } = await client.query<TakenRow>({
      name: "take-due-charges",
      text: TAKE,
      values: [due.rows.map((row) => row.job_id)],
    });
    await book(
      client,
      rows.flatMap(({ job_id: jobId, customer_id: customerId, amount_nanos, currency }) => {
        const atMs = clocks.get(customerId);
        const transaction = earned({ jobId, customerId, amount: nanos(amount_nanos) });
        return atMs === undefined ? [] : [{ transaction, currency, atMs }];
      }),
    );
    return due.rows.length;
  });
}
