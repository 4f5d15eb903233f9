/**
 * The later truth of what an attempt cost, told by the operator: an invoice, a credit, a rate that was wrong. It books the
 * difference, and leaves a version with its reason; nothing that was booked before changes.
 */
import { attemptCost } from "@contingent/core/books/books";
import { type BookedCost, correctionMoves } from "@contingent/core/books/cost-correction";
import type { AttemptId, JobId, KeyId } from "@contingent/core/ids";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import { transactionRow } from "@contingent/db/commit";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";

export interface CostCorrection {
  readonly attemptId: AttemptId;
  readonly amount: Nanos;
  readonly reason: string;
  readonly correctedBy: KeyId;
}

/**
 * `unchanged`: that is what stands in the books already. `unknown`: there is no such attempt. `open`: it is still running,
 * or has ended without reaching a provider, so that there is nothing to correct.
 */
export type Correction = "corrected" | "unchanged" | "unknown" | "open";

const FIND_JOB = "SELECT job_id FROM attempt WHERE id = $1";

/** Locks the job before anything that belongs to it, as every transition does; else the two could wait for each other. */
const LOCK_JOB = "SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE";

const LOCK_ATTEMPT = `
  SELECT a.provider, a.model, a.cost_state, a.cost_nanos, a.cost_version, t.resolved ->> 'currency' AS currency,
         least(a.reserve_nanos, a.cost_nanos,
               (SELECT min(c.previous_nanos) FROM attempt_cost_correction c WHERE c.attempt_id = a.id)) AS counted_nanos
    FROM attempt a JOIN job j ON j.id = a.job_id JOIN outcome_type_version t ON t.id = j.outcome_type_version_id
   WHERE a.id = $1 FOR NO KEY UPDATE OF a`;

const REMEMBER = `
  INSERT INTO attempt_cost_correction (attempt_id, version, previous_nanos, amount_nanos, reason, corrected_by)
  VALUES ($1, $2, $3, $4, $5, $6)`;

const CORRECT = "UPDATE attempt SET cost_state = 'known', cost_nanos = $2, cost_version = $3 WHERE id = $1";

const MOVE_COST = `
  UPDATE job
     SET cost_known_nanos = cost_known_nanos + $2, cost_presumed_nanos = cost_presumed_nanos + $3,
         cost_overrun_nanos = cost_overrun_nanos + $4
   WHERE id = $1`;

const BOOK = "SELECT book($1::jsonb)";

interface AttemptRow {
  readonly provider: string;
  readonly model: string;
  readonly cost_state: "held" | "known" | "presumed" | "released";
  readonly cost_nanos: bigint;
  readonly cost_version: number;
  readonly currency: Currency;
  readonly counted_nanos: bigint;
}

/** Corrects what an attempt cost, in the books too. Safe to repeat: the same amount changes nothing. */
export async function correctCost(pool: Pool, correction: CostCorrection): Promise<Correction> {
  const { attemptId, amount } = correction;
  return await transaction(pool, async (client) => {
    const found = await client.query<{ job_id: JobId }>({ text: FIND_JOB, values: [attemptId] });
    const jobId = found.rows[0]?.job_id;
    if (jobId === undefined) return "unknown";
    await client.query({ text: LOCK_JOB, values: [jobId] });
    const locked = await client.query<AttemptRow>({ text: LOCK_ATTEMPT, values: [attemptId] });
    const [attempt] = locked.rows;
    if (attempt === undefined) return "unknown";
    const { cost_state: state } = attempt;
    if (state !== "known" && state !== "presumed") return "open";
    const booked = { state, cost: nanos(attempt.cost_nanos), counted: nanos(attempt.counted_nanos) };
    // An estimate that turns out to be right is known from then on.
    if (state === "known" && booked.cost === amount) return "unchanged";
    await write(client, jobId, attempt, booked, correction);
    return "corrected";
  });
}

async function write(
  client: Queryable,
  jobId: JobId,
  attempt: AttemptRow,
  booked: BookedCost,
  { attemptId, amount, reason, correctedBy }: CostCorrection,
): Promise<void> {
  const version = attempt.cost_version + 1;
  await client.query({
    text: REMEMBER,
    values: [attemptId, version, booked.cost, amount, reason, correctedBy],
  });
  await client.query({ text: CORRECT, values: [attemptId, amount, version] });
  const { known, presumed, overrun } = correctionMoves(booked, amount);
  await client.query({ text: MOVE_COST, values: [jobId, known, presumed, overrun] });
  const { provider, model, currency } = attempt;
  const basis = `corrected-${version}` as const;
  const entry = attemptCost({ jobId, attemptId, provider, model, basis, cost: amount, booked: booked.cost });
  if (entry === null) return;
  await client.query({ text: BOOK, values: [JSON.stringify([transactionRow(entry, currency)])] });
}
