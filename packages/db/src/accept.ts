/**
 * Accepting jobs: the job, its input, its first event, the hold on the customer's money with its ledger transaction, and
 * the stored answer of its Idempotency-Key, all in one statement for whatever requests are waiting.
 *
 * A request gets nothing (null) when its Idempotency-Key or its outcome_key has been used before; `findAccepted` says
 * what by. Both unique indexes are inserted into in the order of their keys, all keys before all jobs, so that two
 * batches cannot wait for each other; of two equal requests the later one waits for the earlier one's commit.
 *
 * One race is left: a key is claimed, and then the job's outcome_key turns out to have been taken a moment ago. The
 * claim's foreign key then points at a job that does not exist, and the database refuses the whole statement: nothing of
 * it has happened, and the next try sees the winner. That is why a claim can never outlive a job that was not made.
 */
import { holdOnAccount } from "@contingent/core/books/books";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { newJob } from "@contingent/core/job/accept";
import type { Json, JsonObject } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { holdFor } from "@contingent/core/pricing/price";
import { batched } from "./batch.ts";
import { transactionRow } from "./commit.ts";
import { msOf, storedProgress } from "./job-row.ts";
import { type Pool, violatedConstraint } from "./pool.ts";

/** The Idempotency-Key of a request, and what is stored under it. */
export interface IdempotentRequest {
  readonly key: string;
  /** Hash of what was asked; another one under the same key is a mistake of the caller. */
  readonly fingerprint: string;
  /**
   * The answer to store, but for its times: the database adds `created_at` and `deadline_at`. Null: the request is still
   * being served when the job is accepted (it waits for the result), and its answer is stored by `finishAnswer`.
   */
  readonly answer: { readonly status: number; readonly body: JsonObject } | null;
}

export interface NewJob {
  readonly id: JobId;
  readonly customerId: CustomerId;
  readonly version: OutcomeTypeVersion;
  readonly outcomeKey: string | null;
  readonly input: Json;
  readonly metadata: JsonObject;
  readonly traceparent: string;
  readonly idempotent: IdempotentRequest | null;
}

/** When a job was accepted and when it must be done, by the database's clock, ms since the epoch. */
export interface Accepted {
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
}

/** Accepts a job; null when its Idempotency-Key or its outcome_key is taken. */
export type Accept = (job: NewJob) => Promise<Accepted | null>;

/** How long a request that waits for its job's result is thought to be alive without a sign of life. */
export const IN_FLIGHT_LEASE_MS = 5_000;

/** Inputs may be large, so fewer fit a statement than elsewhere. */
const ITEMS_MAX = 64;
const LOST_RACES_MAX = 3;

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

// A join finds the earlier job by its index. As a subquery (NOT EXISTS, beside the case without a key) it was planned as a
// hash of the whole table of jobs, for every statement.
const ACCEPT = `
WITH input AS MATERIALIZED (
  SELECT r.*, date_trunc('milliseconds', now()) AS created_at,
         date_trunc('milliseconds', now()) + r.deadline_ms * interval '1 millisecond' AS deadline_at
    FROM json_to_recordset($1::json) AS r (
      id text, customer_id text, outcome_type text, version_id text, outcome_key text, state text, progress jsonb,
      cost_cap bigint, deadline_ms float8, wake_ms float8, traceparent text, input json, metadata jsonb, event jsonb,
      hold bigint, currency text, transaction jsonb,
      key text, fingerprint text, status int, body jsonb)
), wanted AS MATERIALIZED (
  SELECT DISTINCT ON (i.customer_id, i.outcome_type, i.outcome_key, CASE WHEN i.outcome_key IS NULL THEN i.id END) i.*
    FROM input i
    LEFT JOIN job j ON (j.customer_id, j.outcome_type, j.outcome_key) = (i.customer_id, i.outcome_type, i.outcome_key)
   WHERE j.id IS NULL
), claimed AS (
  INSERT INTO idempotency (customer_id, key, fingerprint, job_id, existing, status, body, in_flight_until)
  SELECT customer_id, key, fingerprint, id, false, status,
         body || jsonb_build_object('created_at', to_char(created_at AT TIME ZONE 'UTC', ${ISO}),
                                    'deadline_at', to_char(deadline_at AT TIME ZONE 'UTC', ${ISO})),
         CASE WHEN status IS NULL THEN now() + $2::float8 * interval '1 millisecond' END
    FROM wanted WHERE key IS NOT NULL
   ORDER BY customer_id, key
  ON CONFLICT DO NOTHING
  RETURNING job_id
), accepted AS (
  INSERT INTO job (id, customer_id, outcome_type, outcome_type_version_id, outcome_key, state, revision, cost_cap_nanos,
                   progress, traceparent, created_at, deadline_at, ready_at, wake_at)
  SELECT w.id, w.customer_id, w.outcome_type, w.version_id, w.outcome_key, w.state, 1, w.cost_cap,
         w.progress, w.traceparent, w.created_at, w.deadline_at, w.created_at,
         w.created_at + w.wake_ms * interval '1 millisecond'
    FROM wanted w LEFT JOIN claimed c ON c.job_id = w.id
   WHERE w.key IS NULL OR c.job_id IS NOT NULL
   ORDER BY w.customer_id, w.outcome_type, w.outcome_key
  ON CONFLICT DO NOTHING
  RETURNING id, created_at, deadline_at
), texts AS (
  INSERT INTO job_input (job_id, input, metadata) SELECT id, input, metadata FROM input JOIN accepted USING (id)
), event AS (
  INSERT INTO job_event (job_id, revision, type, data)
  SELECT id, 1, 'job.accepted', event FROM input JOIN accepted USING (id)
), held AS (
  INSERT INTO hold (job_id, customer_id, amount_nanos, currency)
  SELECT id, customer_id, hold, currency FROM input JOIN accepted USING (id)
), booked AS (
  INSERT INTO ledger_transaction (id, kind, key, job_id, currency)
  SELECT t.id, t.kind, t.key, i.id, t.currency
    FROM input i JOIN accepted USING (id), jsonb_to_record(i.transaction) AS t (id text, kind text, key text, currency text)
), posted AS (
  INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency)
  SELECT t.id, p.seq, t.kind, p.line ->> 0, p.line ->> 1, (p.line ->> 2)::bigint, t.currency
    FROM input i JOIN accepted USING (id),
         jsonb_to_record(i.transaction) AS t (id text, kind text, currency text, postings jsonb),
         jsonb_array_elements(t.postings) WITH ORDINALITY AS p (line, seq)
)
SELECT id, ${msOf("created_at")} AS created_ms, ${msOf("deadline_at")} AS deadline_ms FROM accepted`;

interface AcceptedRow {
  readonly id: JobId;
  readonly created_ms: number;
  readonly deadline_ms: number;
}

/** Accepts jobs durably, many to a statement. */
export function openAccept(pool: Pool): Accept {
  const accept = batched<NewJob, Accepted | null>({
    itemsMax: ITEMS_MAX,
    run: async (jobs) => {
      const values = [JSON.stringify(jobs.map(rowOf)), IN_FLIGHT_LEASE_MS];
      const { rows } = await pool.query<AcceptedRow>({ name: "accept", text: ACCEPT, values });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return jobs.map(({ id }) => {
        const row = byId.get(id);
        return row === undefined ? null : { createdAtMs: row.created_ms, deadlineAtMs: row.deadline_ms };
      });
    },
  });
  return async (job) => {
    for (let lost = 0; ; lost += 1) {
      try {
        return await accept(job);
      } catch (error) {
        if (lost === LOST_RACES_MAX || violatedConstraint(error) !== "idempotency_job_id_fkey") throw error;
      }
    }
  };
}

function rowOf(job: NewJob): JsonObject {
  const { id, customerId, version, idempotent } = job;
  // Times are relative to the database's own clock, which the statement adds.
  const accepted = newJob(id, version.terms, 0);
  const hold = holdFor(version.terms.price);
  return {
    id,
    customer_id: customerId,
    outcome_type: version.name,
    version_id: version.id,
    outcome_key: job.outcomeKey,
    state: accepted.state,
    progress: JSON.parse(JSON.stringify(storedProgress(accepted.progress))) as JsonObject,
    cost_cap: version.terms.costCap.toString(),
    deadline_ms: accepted.deadlineAtMs,
    wake_ms: accepted.wakeAtMs,
    traceparent: job.traceparent,
    input: job.input,
    metadata: job.metadata,
    event: { outcome_type: version.name, version: version.version },
    hold: hold.toString(),
    currency: version.currency,
    transaction: transactionRow(holdOnAccount(id, customerId, hold), version.currency),
    key: idempotent?.key ?? null,
    fingerprint: idempotent?.fingerprint ?? null,
    status: idempotent?.answer?.status ?? null,
    body: idempotent?.answer?.body ?? null,
  };
}
