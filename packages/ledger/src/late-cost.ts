/**
 * An answer for an attempt that its job no longer waits for. Its output is dropped; what it cost is the truth and is
 * booked, as the difference to the worst case that stands in the books for it.
 */
import { attemptCost } from "@contingent/core/books/books";
import type { AttemptId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import { transactionRow } from "@contingent/db/commit";
import { type Pool, transaction } from "@contingent/db/pool";
import { storableJsonText } from "@contingent/db/storable";

export interface LateAnswer {
  readonly jobId: JobId;
  readonly attemptId: AttemptId;
  readonly provider: string;
  readonly model: string;
  readonly cost: Nanos;
  readonly currency: Currency;
  readonly usage: JsonObject | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Locks the job before anything that belongs to it, as every transition does; else the two could wait for each other. */
const LOCK_JOB = "SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE";

/** Locks the attempt's row; answers nothing when its cost is known already (the same answer told twice). */
const TAKE_ATTEMPT = `
  UPDATE attempt a
     SET cost_state = 'known', cost_nanos = $2, usage = $3, input_tokens = $4, output_tokens = $5
    FROM (SELECT id, cost_nanos AS booked FROM attempt
           WHERE id = $1 AND job_id = $6 AND cost_state = 'presumed' FOR NO KEY UPDATE) before
   WHERE a.id = before.id
  RETURNING before.booked, a.reserve_nanos`;

const MOVE_COST = `
  UPDATE job
     SET cost_known_nanos = cost_known_nanos + $2, cost_presumed_nanos = cost_presumed_nanos - $3,
         cost_overrun_nanos = cost_overrun_nanos + greatest(0, $2::bigint - $4::bigint)
   WHERE id = $1`;

const BOOK = "SELECT book($1::jsonb)";

/** Books the true cost of a presumed attempt; false when it was known already. Safe to repeat. */
export async function bookLateCost(pool: Pool, late: LateAnswer): Promise<boolean> {
  return await transaction(pool, async (client) => {
    await client.query({ text: LOCK_JOB, values: [late.jobId] });
    const taken = await client.query<{ booked: bigint; reserve_nanos: bigint }>({
      text: TAKE_ATTEMPT,
      values: [
        late.attemptId,
        late.cost,
        late.usage === null ? null : storableJsonText(late.usage),
        late.inputTokens,
        late.outputTokens,
        late.jobId,
      ],
    });
    const [row] = taken.rows;
    if (row === undefined) return false;
    await client.query({ text: MOVE_COST, values: [late.jobId, late.cost, row.booked, row.reserve_nanos] });
    const correction = attemptCost({ ...late, basis: "reported", booked: nanos(row.booked) });
    if (correction !== null) {
      const entries = JSON.stringify([transactionRow(correction, late.currency)]);
      await client.query({ text: BOOK, values: [entries] });
    }
    return true;
  });
}
