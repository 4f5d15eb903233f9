/**
 * Periods that are over: closed by themselves, a while after their end. Any number of processes may do it; each account
 * is closed by whoever locks it first, and a statement is finished once.
 *
 * Reads `customer_account_closed_until` and `statement_closing`, which hold what is due and nothing of the past.
 */
import type { CustomerId, StatementId } from "@contingent/core/ids";
import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { msOf } from "@contingent/db/job-row";
import type { Pool } from "@contingent/db/pool";
import { beginClosing, finishClosing } from "./close.ts";

export interface DueOptions {
  /** How long after its end a period is left open, by the customer's clock. */
  readonly graceMs: number;
  /** Customers looked at in one round. */
  readonly limit: number;
  /** Told of a statement that could not be closed. The others are. */
  readonly failed: (id: StatementId, error: unknown) => void;
}

const OVER = `
  SELECT a.customer_id, ${msOf("a.closed_until")} AS closed_until_ms
    FROM customer_account a
   WHERE a.closed_until <= clock_timestamp() + clock_offset_max() - $1::float8 * interval '1 millisecond'
     AND period_end(a.closed_until) <= clock_timestamp() + a.clock_offset - $1::float8 * interval '1 millisecond'
     AND NOT EXISTS (SELECT FROM statement s WHERE s.customer_id = a.customer_id AND s.state = 'closing')
   ORDER BY a.closed_until LIMIT $2`;

/** In any order: those that cannot be finished must not keep the others from it. */
const CLOSING = "SELECT id FROM statement WHERE state = 'closing' ORDER BY random() LIMIT $1";

/** One round: finishes what was begun, closes one period of each customer who has one that is over. @returns how many it has closed */
export async function closeDuePeriods(pool: Pool, { graceMs, limit, failed }: DueOptions): Promise<number> {
  let closed = 0;
  const attempt = async (id: StatementId, close: () => Promise<unknown>): Promise<void> => {
    try {
      await close();
      closed += 1;
    } catch (error) {
      failed(id, error);
    }
  };
  const unfinished = await pool.query<{ id: StatementId }>({ text: CLOSING, values: [limit] });
  for (const { id } of unfinished.rows) await attempt(id, () => finishClosing(pool, id));
  const over = await pool.query<{ customer_id: CustomerId; closed_until_ms: number }>({
    text: OVER,
    values: [graceMs, limit],
  });
  for (const { customer_id: customerId, closed_until_ms: fromMs } of over.rows) {
    const id = statementIdOf(customerId, periodAt(fromMs));
    await attempt(id, async () => {
      const begun = await beginClosing(pool, id);
      if (begun.kind === "begun") await finishClosing(pool, id);
    });
  }
  return closed;
}
