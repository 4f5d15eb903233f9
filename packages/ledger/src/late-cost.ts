/**
 * An answer, a reply or a verdict that its job no longer waits for. What it says is dropped; what it cost is the truth and is
 * booked, as the difference to the worst case that stands in the books for it.
 */
import { attemptCost, inquiryCost, type Transaction, verdictCost } from "@contingent/core/books/books";
import type { AttemptId, InquiryId, JobId } from "@contingent/core/ids";
import type { Job } from "@contingent/core/job/job";
import { payVerdict } from "@contingent/core/job/moves";
import type { JsonObject } from "@contingent/core/json";
import { type Currency, type Nanos, nanos, ZERO } from "@contingent/core/money";
import { transactionRow } from "@contingent/db/commit";
import type { Payloads } from "@contingent/db/payloads/payloads";
import { sealersOfJobs } from "@contingent/db/payloads/sealers";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { storableJsonText } from "@contingent/db/storable";
import { type StoredVerdict, VERDICT_OF_MOVED, verdictRow } from "@contingent/db/stored-verdict";

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
    const moved = [late.jobId, late.cost, row.booked, row.reserve_nanos];
    const correction = attemptCost({ ...late, basis: "reported", booked: nanos(row.booked) });
    await book(client, moved, correction, late.currency);
    return true;
  });
}

/** What the reply to an inquiry cost that its job does not wait for any more. */
export interface LateReply {
  readonly jobId: JobId;
  readonly inquiryId: InquiryId;
  readonly cost: Nanos;
  readonly currency: Currency;
}

/** Locks the inquiry's row; answers nothing when its cost is known already, or when it cost nobody anything. */
const TAKE_INQUIRY = `
  UPDATE inquiry q SET cost_state = 'known', cost_nanos = $2
    FROM (SELECT id, cost_nanos AS booked FROM inquiry
           WHERE id = $1 AND job_id = $3 AND cost_state = 'presumed' FOR NO KEY UPDATE) before
   WHERE q.id = before.id
  RETURNING before.booked, q.reserve_nanos, q.provider, q.name`;

interface TakenInquiry {
  readonly booked: bigint;
  readonly reserve_nanos: bigint;
  readonly provider: string;
  readonly name: string;
}

/** Books the true cost of an inquiry that counted as spent; false when it was known already. Safe to repeat. */
export async function bookLateReply(pool: Pool, late: LateReply): Promise<boolean> {
  return await transaction(pool, async (client) => {
    await client.query({ text: LOCK_JOB, values: [late.jobId] });
    const values = [late.inquiryId, late.cost, late.jobId];
    const [row] = (await client.query<TakenInquiry>({ text: TAKE_INQUIRY, values })).rows;
    if (row === undefined) return false;
    const { provider, name } = row;
    const moved = [late.jobId, late.cost, row.booked, row.reserve_nanos];
    const correction = inquiryCost({ ...late, provider, name, basis: "reported", booked: nanos(row.booked) });
    await book(client, moved, correction, late.currency);
    return true;
  });
}

/** A verdict that cost something, on an answer that its job does not wait with any more. */
export interface LateVerdict {
  /** As it was when its answer was judged. */
  readonly job: Job;
  readonly verdict: StoredVerdict;
  readonly cost: Nanos;
  readonly currency: Currency;
}

const LOCK_JOB_OF_ATTEMPT = `
  SELECT FROM job WHERE id = $1 AND progress -> 'current' ->> 'attemptId' IS DISTINCT FROM $2 FOR NO KEY UPDATE`;

/** An answer has one verdict: whoever was second has written nothing, as ever. */
const RECORD_VERDICT = `
  WITH moved AS (SELECT $1::text AS id, $2::jsonb AS verdict)
  ${VERDICT_OF_MOVED} ON CONFLICT (attempt_id) DO NOTHING RETURNING id`;

/**
 * Records a verdict that changes nothing any more, so that what it cost is booked under its name; false when it cost
 * nothing, the answer has a verdict, or the job still waits for one. Safe to repeat.
 */
export async function bookLateVerdict(pool: Pool, late: LateVerdict, payloads: Payloads): Promise<boolean> {
  const { job, verdict, cost, currency } = late;
  const { effects } = payVerdict(job, { verdictId: verdict.id, cost });
  const [paid] = effects.filter((effect) => effect.type === "pay_verdict");
  if (paid === undefined) return false;
  const row = storableJsonText(
    verdictRow(verdict, job.progress.step, effects, await sealersOfJobs(pool, payloads)(job.id)),
  );
  return await transaction(pool, async (client) => {
    const locked = await client.query({ text: LOCK_JOB_OF_ATTEMPT, values: [job.id, verdict.attemptId] });
    if (locked.rowCount === 0) return false;
    const recorded = await client.query({ text: RECORD_VERDICT, values: [job.id, row] });
    if (recorded.rowCount === 0) return false;
    await book(client, [job.id, cost, ZERO, paid.reserve], verdictCost({ jobId: job.id, ...paid }), currency);
    return true;
  });
}

/** Moves the job's cost by what `MOVE_COST` is told, and books the difference if there is one. */
async function book(
  client: Queryable,
  moved: readonly unknown[],
  entry: Transaction | null,
  currency: Currency,
): Promise<void> {
  await client.query({ text: MOVE_COST, values: [...moved] });
  if (entry === null) return;
  await client.query({ text: BOOK, values: [JSON.stringify([transactionRow(entry, currency)])] });
}
