/** What an attempt cost, how that is known and what it was said to cost before. For people, not for the path of a job. */
import type { AttemptId, JobId, KeyId } from "@contingent/core/ids";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

export interface CorrectionView {
  readonly version: number;
  readonly previous: Nanos;
  readonly amount: Nanos;
  readonly reason: string;
  readonly correctedBy: KeyId;
  readonly correctedAtMs: number;
}

export interface AttemptCostView {
  readonly attemptId: AttemptId;
  readonly jobId: JobId;
  readonly provider: string;
  readonly model: string;
  readonly currency: Currency;
  /** Null while the attempt is running, and when it has ended without reaching a provider. */
  readonly basis: "estimated" | "reported" | "corrected" | null;
  readonly cost: Nanos;
  readonly reserve: Nanos;
  /** The latest one first. */
  readonly corrections: readonly CorrectionView[];
}

interface CostRow {
  readonly job_id: JobId;
  readonly provider: string;
  readonly model: string;
  readonly currency: Currency;
  readonly basis: AttemptCostView["basis"];
  readonly cost_nanos: bigint;
  readonly reserve_nanos: bigint;
  readonly corrections: readonly (Omit<CorrectionView, "previous" | "amount"> & {
    readonly previous: string;
    readonly amount: string;
  })[];
}

const SELECT = `
  SELECT a.job_id, a.provider, a.model, t.resolved ->> 'currency' AS currency, a.cost_nanos, a.reserve_nanos,
         CASE WHEN a.cost_version > 0 THEN 'corrected'
              WHEN a.cost_state = 'known' THEN 'reported' WHEN a.cost_state = 'presumed' THEN 'estimated' END AS basis,
         coalesce(c.list, '[]') AS corrections
    FROM attempt a JOIN job j ON j.id = a.job_id JOIN outcome_type_version t ON t.id = j.outcome_type_version_id
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object(
               'version', version, 'previous', previous_nanos::text, 'amount', amount_nanos::text, 'reason', reason,
               'correctedBy', corrected_by, 'correctedAtMs', ${msOf("corrected_at")}) ORDER BY version DESC) AS list
        FROM attempt_cost_correction WHERE attempt_id = a.id) c ON true
   WHERE a.id = $1`;

/** The cost of an attempt with its history; null when there is no such attempt. */
export async function findAttemptCost(db: Queryable, attemptId: AttemptId): Promise<AttemptCostView | null> {
  const { rows } = await db.query<CostRow>({ text: SELECT, values: [attemptId] });
  const [row] = rows;
  if (row === undefined) return null;
  const { job_id: jobId, provider, model, currency, basis } = row;
  return {
    attemptId,
    jobId,
    provider,
    model,
    currency,
    basis,
    cost: nanos(row.cost_nanos),
    reserve: nanos(row.reserve_nanos),
    corrections: row.corrections.map((correction) => ({
      ...correction,
      previous: nanos(BigInt(correction.previous)),
      amount: nanos(BigInt(correction.amount)),
    })),
  };
}
