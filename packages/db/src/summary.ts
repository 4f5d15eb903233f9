/** What the operator sold, gave away and paid for. Reads every job of the period: for people and dashboards, not for the path of a job. */
import type { CustomerId } from "@contingent/core/ids";
import { type Nanos, nanos } from "@contingent/core/money";
import { type Pool, readAll } from "./pool.ts";

export interface SummaryFilter {
  readonly customerId?: CustomerId | undefined;
  /** Jobs created from this instant on, ms since the epoch. */
  readonly createdFromMs?: number | undefined;
  /** Jobs created before this instant, ms since the epoch. */
  readonly createdUntilMs?: number | undefined;
}

export interface SummaryLine {
  readonly outcomeType: string;
  readonly jobs: number;
  readonly open: number;
  readonly success: number;
  readonly partial: number;
  readonly failed: number;
  readonly attempts: number;
  readonly escalations: number;
  readonly billed: Nanos;
  /** What of it was given back. */
  readonly credited: Nanos;
  readonly modelCost: Nanos;
  /** Model cost of closed jobs that were not billed. */
  readonly absorbedCost: Nanos;
}

interface SummaryRow {
  readonly outcome_type: string;
  readonly jobs: bigint;
  readonly open: bigint;
  readonly success: bigint;
  readonly partial: bigint;
  readonly failed: bigint;
  readonly attempts: bigint;
  readonly escalations: bigint;
  readonly billed: bigint;
  readonly credited: bigint;
  readonly model_cost: bigint;
  readonly absorbed_cost: bigint;
}

const SUMMARY = `
  SELECT j.outcome_type, count(*) AS jobs,
         count(*) FILTER (WHERE j.state <> 'closed') AS open,
         count(*) FILTER (WHERE j.state = 'closed' AND j.resolution = 'success') AS success,
         count(*) FILTER (WHERE j.state = 'closed' AND j.resolution = 'partial') AS partial,
         count(*) FILTER (WHERE j.state = 'closed' AND j.resolution = 'failure') AS failed,
         sum(j.attempts)::bigint AS attempts,
         sum(e.escalations)::bigint AS escalations,
         coalesce(sum(c.amount_nanos), 0)::bigint AS billed,
         coalesce(sum((SELECT sum(amount_nanos) FROM credit_note WHERE job_id = j.id)), 0)::bigint AS credited,
         sum(j.cost_known_nanos + j.cost_presumed_nanos)::bigint AS model_cost,
         coalesce(sum(j.cost_known_nanos + j.cost_presumed_nanos)
           FILTER (WHERE j.state = 'closed' AND c.job_id IS NULL), 0)::bigint AS absorbed_cost
    FROM job j
    LEFT JOIN charge c ON c.job_id = j.id
    LEFT JOIN LATERAL (
      SELECT count(*) AS escalations FROM job_event WHERE job_id = j.id AND type = 'job.escalated') e ON true
   WHERE ($1::text IS NULL OR j.customer_id = $1)
     AND ($2::float8 IS NULL OR j.created_at >= to_timestamp($2 / 1000))
     AND ($3::float8 IS NULL OR j.created_at < to_timestamp($3 / 1000))
   GROUP BY j.outcome_type ORDER BY j.outcome_type`;

const STATEMENT_TIMEOUT_MS = 30_000;

/** One line per outcome type that has jobs. */
export async function summarize(pool: Pool, filter: SummaryFilter): Promise<readonly SummaryLine[]> {
  const values = [filter.customerId ?? null, filter.createdFromMs ?? null, filter.createdUntilMs ?? null];
  const { rows } = await readAll(pool, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }, (client) =>
    client.query<SummaryRow>({ text: SUMMARY, values }),
  );
  return rows.map((row) => ({
    outcomeType: row.outcome_type,
    jobs: Number(row.jobs),
    open: Number(row.open),
    success: Number(row.success),
    partial: Number(row.partial),
    failed: Number(row.failed),
    attempts: Number(row.attempts),
    escalations: Number(row.escalations),
    billed: nanos(row.billed),
    credited: nanos(row.credited),
    modelCost: nanos(row.model_cost),
    absorbedCost: nanos(row.absorbed_cost),
  }));
}
