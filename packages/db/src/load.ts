/**
 * Loading jobs for the services: one statement per kind of message for whatever ids are waiting.
 * Each reads by primary key only, takes no lock, and answers nothing for an id that does not exist.
 */
import type { AttemptId, CustomerId, JobId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import type { Job } from "@contingent/core/job/job";
import { type Nanos, nanos } from "@contingent/core/money";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { Finding } from "@contingent/core/verdict";
import { batched } from "./batch.ts";
import { JOB_COLUMNS, type JobRow, jobOf } from "./job-row.ts";
import type { OutcomeTypeVersions } from "./outcome-types.ts";
import type { Pool } from "./pool.ts";

export interface LoadedJob {
  readonly job: Job;
  readonly version: OutcomeTypeVersion;
  readonly customerId: CustomerId;
  readonly outcomeKey: string | null;
  /** Trace context of the request that made the job. */
  readonly traceparent: string | null;
  /** The database's clock when the row was read, ms since the epoch. */
  readonly nowMs: number;
}

export interface JobForAttempt extends LoadedJob {
  readonly input: Json;
  /** Findings of the latest verdict, empty before the first. */
  readonly findings: readonly Finding[];
  /** Span of the attempt before this one, to link to. */
  readonly previousTraceparent: string | null;
}

export interface JobForValidation extends LoadedJob {
  readonly input: Json;
  /** The text to judge; null when the job is not waiting for a verdict. */
  readonly answer: { readonly attemptId: AttemptId; readonly text: string } | null;
}

export interface JobForSettlement extends LoadedJob {
  readonly held: Nanos;
}

export interface JobLoader {
  readonly forAttempt: (id: JobId) => Promise<JobForAttempt | null>;
  readonly forValidation: (id: JobId) => Promise<JobForValidation | null>;
  readonly forSettlement: (id: JobId) => Promise<JobForSettlement | null>;
}

interface AttemptRow extends JobRow {
  readonly input: Json;
  readonly findings: readonly Finding[] | null;
  readonly previous_traceparent: string | null;
}

interface ValidationRow extends JobRow {
  readonly input: Json;
  readonly answer_attempt_id: AttemptId | null;
  readonly answer_text: string | null;
}

interface SettlementRow extends JobRow {
  readonly held_nanos: bigint;
}

const FOR_ATTEMPT = `
  SELECT ${JOB_COLUMNS}, i.input, v.findings, a.traceparent AS previous_traceparent
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN LATERAL (
      SELECT findings FROM verdict WHERE job_id = j.id ORDER BY at DESC LIMIT 1) v ON j.attempts > 0
    LEFT JOIN LATERAL (
      SELECT traceparent FROM attempt WHERE job_id = j.id ORDER BY number DESC LIMIT 1) a ON j.attempts > 0`;

const FOR_VALIDATION = `
  SELECT ${JOB_COLUMNS}, i.input, a.id AS answer_attempt_id, a.output AS answer_text
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN attempt a ON j.state = 'validating' AND a.id = j.progress -> 'current' ->> 'attemptId'`;

const FOR_SETTLEMENT = `
  SELECT ${JOB_COLUMNS}, h.amount_nanos AS held_nanos
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN hold h ON h.job_id = j.id`;

/** Loaders that share one pool; concurrent loads of one kind become one statement. */
export function jobLoader(pool: Pool, versions: OutcomeTypeVersions): JobLoader {
  async function loaded(row: JobRow): Promise<LoadedJob> {
    const version = await versions.get(row.outcome_type_version_id);
    return {
      job: jobOf(row, version.terms),
      version,
      customerId: row.customer_id,
      outcomeKey: row.outcome_key,
      traceparent: row.traceparent,
      nowMs: row.now_ms,
    };
  }
  const attempt = rowsById<AttemptRow>(pool, "load-for-attempt", FOR_ATTEMPT);
  const validation = rowsById<ValidationRow>(pool, "load-for-validation", FOR_VALIDATION);
  const settlement = rowsById<SettlementRow>(pool, "load-for-settlement", FOR_SETTLEMENT);
  return {
    async forAttempt(id) {
      const row = await attempt(id);
      if (row === null) return null;
      const { input, findings, previous_traceparent: previousTraceparent } = row;
      return { ...(await loaded(row)), input, findings: findings ?? [], previousTraceparent };
    },
    async forValidation(id) {
      const row = await validation(id);
      if (row === null) return null;
      const { input, answer_attempt_id: attemptId, answer_text: text } = row;
      const answer = attemptId === null || text === null ? null : { attemptId, text };
      return { ...(await loaded(row)), input, answer };
    },
    async forSettlement(id) {
      const row = await settlement(id);
      return row === null ? null : { ...(await loaded(row)), held: nanos(row.held_nanos) };
    },
  };
}

function rowsById<Row extends JobRow>(pool: Pool, name: string, text: string): (id: JobId) => Promise<Row | null> {
  return batched<JobId, Row | null>({
    run: async (ids) => {
      const { rows } = await pool.query<Row>({ name, text, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  });
}
