/**
 * Accepting jobs: the job, its input, its first event, the hold on the customer's money with its ledger transaction, and
 * the stored answer of its Idempotency-Key, all in one transaction for whatever requests are waiting.
 *
 * Three steps. The accounts of the batch are locked and read (account-lock.ts). Pure code decides of each job, one after the
 * other, whether it may be accepted just now (core/job/admission), whether its hold fits, and from which grants that comes
 * (core/books/funding). One statement writes whatever fits.
 *
 * A repeat needs no money, and is known to be one only when it is written. So when what repeats took, in thought, was
 * missing to others of their batch, the whole of it is undone and done again without them.
 *
 * A request gets nothing (null) when its Idempotency-Key or its outcome_key has been used before; `findAccepted` says
 * what by. Both unique indexes are inserted into in the order of their keys, all keys before all jobs, so that two
 * batches cannot wait for each other; of two equal requests the later one waits for the earlier one's commit.
 *
 * One race is left: a key is claimed, and then the job's outcome_key turns out to have been taken a moment ago. The
 * claim's foreign key then points at a job that does not exist, and the database refuses the whole statement: nothing of
 * it has happened, and the next try sees the winner. That is why a claim can never outlive a job that was not made.
 */
import { type Alert, alertsBetween } from "@contingent/core/books/alerts";
import { type Hold, hold } from "@contingent/core/books/books";
import { fund, type Shortage } from "@contingent/core/books/funding";
import type { CustomerId, CustomerTermsId, JobId } from "@contingent/core/ids";
import { newJob } from "@contingent/core/job/accept";
import { type Congestion, congestionOf, type TierLoad } from "@contingent/core/job/admission";
import { turnOf } from "@contingent/core/job/turn";
import type { Json, JsonObject } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { holdFor } from "@contingent/core/pricing/price";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { type LockedAccount, lockAccounts } from "./account-lock.ts";
import { batched } from "./batch.ts";
import { transactionRow } from "./commit.ts";
import { customerTermsWithin } from "./customer-terms.ts";
import { newId } from "./ids.ts";
import { msOf, storedProgress } from "./job-row.ts";
import { atPricesOf } from "./outcome-types.ts";
import { withStoredTexts } from "./payloads/new-job.ts";
import type { Payloads } from "./payloads/payloads.ts";
import { type Pool, type Queryable, transaction, violatedConstraint } from "./pool.ts";
import { seenBy, type Tenants } from "./tenants.ts";

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
  /** The dead letter that this job does once more, at the prices that it was accepted at. */
  readonly redrive?: { readonly of: JobId; readonly termsId: CustomerTermsId | null } | undefined;
  readonly idempotent: IdempotentRequest | null;
}

/** When a job was accepted and when it must be done, by the customer's clock, and its turn, by the database's; ms since the epoch. */
export interface Accepted {
  readonly kind: "accepted";
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
  readonly turnAtMs: number;
}

/** The hold does not fit what the customer has: nothing was written. */
export interface Refused {
  readonly kind: "refused";
  readonly shortage: Shortage;
}

/** The job may not be accepted just now, whatever the customer has: nothing was written. */
export interface Congested {
  readonly kind: "congested";
  readonly congestion: Congestion;
}

type Result = Accepted | Refused | Congested;

/** Accepts a job; null when its Idempotency-Key or its outcome_key is taken. A refusal does not say that they are free. */
export type Accept = (job: NewJob) => Promise<Result | null>;

export interface AcceptOptions {
  /** How many jobs a customer may have open who has no limit of their own. */
  readonly openJobsMax: number;
  /** What waits on a tier; null: nothing that matters, or it is not known. */
  readonly loadOf: (tier: string) => TierLoad | null;
}

/** How long a request that waits for its job's result is thought to be alive without a sign of life. */
export const IN_FLIGHT_LEASE_MS = 5_000;

/** Inputs may be large, so fewer fit a statement than elsewhere. */
const ITEMS_MAX = 64;
const LOST_RACES_MAX = 3;

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;

// The earlier job is looked up by its index, for each row: OFFSET 0 lets the planner do nothing else. As NOT EXISTS, beside the
// case without a key, it was planned as a hash of the whole table of jobs, and as a plain join all keyed jobs were read while
// there were a few dozen. `= ANY (ARRAY(…))` beside a join says nothing new, and makes the
// planner look up the few rows that are meant: while it believes that a table is small, it would begin with all of it.
const ACCEPT = `
WITH input AS MATERIALIZED (
  SELECT r.*, to_timestamp(r.now_ms / 1000) AS created_at,
         to_timestamp(r.now_ms / 1000) + r.deadline_ms * interval '1 millisecond' AS deadline_at
    FROM json_to_recordset($1::json) AS r (
      id text, customer_id text, outcome_type text, version_id text, terms_id text, outcome_key text, state text,
      progress jsonb, cost_cap bigint, now_ms float8, deadline_ms float8, turn_ms float8, wake_ms float8, traceparent text,
      input json, metadata jsonb, event jsonb, hold bigint, billing text, slices jsonb, period_ms float8, alerts jsonb, currency text,
      transaction jsonb, key text, fingerprint text, status int, body jsonb, redrive_of text, retention_days int)
), wanted AS MATERIALIZED (
  SELECT DISTINCT ON (i.customer_id, i.outcome_type, i.outcome_key, CASE WHEN i.outcome_key IS NULL THEN i.id END) i.*
    FROM input i
    LEFT JOIN LATERAL (
      SELECT id FROM job
       WHERE (customer_id, outcome_type, outcome_key) = (i.customer_id, i.outcome_type, i.outcome_key) OFFSET 0) j ON true
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
  INSERT INTO job (id, customer_id, outcome_type, outcome_type_version_id, customer_terms_id, outcome_key, state, revision,
                   cost_cap_nanos, progress, traceparent, created_at, deadline_at, turn_at, ready_at, wake_at,
                   redrive_of, payload_retention_days)
  SELECT w.id, w.customer_id, w.outcome_type, w.version_id, w.terms_id, w.outcome_key, w.state, 1,
         w.cost_cap, w.progress, w.traceparent, w.created_at, w.deadline_at, to_timestamp(w.turn_ms / 1000), w.created_at,
         w.created_at + w.wake_ms * interval '1 millisecond', w.redrive_of, w.retention_days
    FROM wanted w LEFT JOIN claimed c ON c.job_id = w.id
   WHERE w.key IS NULL OR c.job_id IS NOT NULL
   ORDER BY w.customer_id, w.outcome_type, w.outcome_key
  ON CONFLICT DO NOTHING
  RETURNING id, created_at, deadline_at, turn_at
), texts AS (
  INSERT INTO job_input (job_id, customer_id, input, metadata)
  SELECT id, customer_id, input, metadata FROM input JOIN accepted USING (id)
), event AS (
  INSERT INTO job_event (job_id, revision, type, data)
  SELECT id, 1, 'job.accepted', event FROM input JOIN accepted USING (id)
), held AS (
  INSERT INTO hold (job_id, customer_id, amount_nanos, currency, billing)
  SELECT id, customer_id, hold, currency, billing FROM input JOIN accepted USING (id)
), slices AS MATERIALIZED (
  SELECT i.id, s.seq, s.line ->> 0 AS grant_id, (s.line ->> 1)::bigint AS amount
    FROM input i JOIN accepted USING (id), jsonb_array_elements(i.slices) WITH ORDINALITY AS s (line, seq)
), sliced AS (
  INSERT INTO hold_slice (job_id, seq, grant_id, amount_nanos) SELECT id, seq, grant_id, amount FROM slices
), taken AS (
  UPDATE credit_grant g SET available_nanos = available_nanos - s.total
    FROM (SELECT grant_id, sum(amount)::bigint AS total FROM slices GROUP BY grant_id) s
   WHERE g.id = s.grant_id AND g.id = ANY (ARRAY(SELECT grant_id FROM slices))
), counted AS (
  UPDATE customer_account a
     SET held_nanos = held_nanos + h.total,
         spent_nanos = CASE WHEN spent_from >= h.period THEN spent_nanos ELSE 0 END,
         spent_from = greatest(spent_from, h.period), updated_at = now()
    FROM (SELECT customer_id, sum(hold)::bigint AS total, to_timestamp(max(period_ms) / 1000) AS period
            FROM input JOIN accepted USING (id) GROUP BY customer_id) h
   WHERE a.customer_id = h.customer_id AND a.customer_id = ANY (ARRAY(SELECT customer_id FROM input))
), alerted AS (
  INSERT INTO customer_event (id, customer_id, type, subject, data, at)
  SELECT e.id, i.customer_id, e.type, e.subject, e.data, i.created_at
    FROM input i JOIN accepted USING (id),
         jsonb_to_recordset(i.alerts) AS e (id text, type text, subject text, data jsonb)
   ORDER BY i.customer_id, e.type, e.subject
  ON CONFLICT DO NOTHING
), booked AS (
  SELECT book(coalesce(jsonb_agg(i.transaction || jsonb_build_object('dated_at', i.created_at)), '[]')) AS number
    FROM input i JOIN accepted USING (id)
)
SELECT a.id, ${msOf("a.created_at")} AS created_ms, ${msOf("a.deadline_at")} AS deadline_ms, ${msOf("a.turn_at")} AS turn_ms
  FROM accepted a
 WHERE must_hold((SELECT number FROM booked) = (SELECT count(*) FROM accepted), 'every accepted job has a hold in the books')`;

interface AcceptedRow {
  readonly id: JobId;
  readonly created_ms: number;
  readonly deadline_ms: number;
  readonly turn_ms: number;
}

/** Accepts jobs durably, many to a transaction; of as many customers as ask. */
export function openAccept(pool: Pool | Tenants, options: AcceptOptions, payloads: Payloads): Accept {
  const terms = customerTermsWithin();
  const accept = batched<NewJob, Result | null>({
    itemsMax: ITEMS_MAX,
    run: async (jobs) => {
      const repeats = new Set<JobId>();
      for (;;) {
        const others = jobs.filter(({ id }) => !repeats.has(id));
        try {
          const results = await acceptTogether(pool, { ...options, terms }, others);
          return jobs.map(({ id }) => results.get(id) ?? null);
        } catch (error) {
          if (!(error instanceof FundedRepeats)) throw error;
          for (const id of error.repeats) repeats.add(id);
        }
      }
    },
  });
  return async (job) => {
    const stored = await withStoredTexts(payloads, job);
    for (let lost = 0; ; lost += 1) {
      try {
        return await accept(stored);
      } catch (error) {
        if (lost === LOST_RACES_MAX || violatedConstraint(error) !== "idempotency_job_id_fkey") throw error;
      }
    }
  };
}

interface Deciding extends AcceptOptions {
  readonly terms: (id: CustomerTermsId, client: Queryable) => Promise<CustomerTerms>;
}

/**
 * Jobs of the batch took money, in thought, and then turned out to be repeats that need none; neighbours of the same
 * customer were refused for it, or paid from other grants than those that it was their turn to burn.
 */
class FundedRepeats extends Error {
  override readonly name = "FundedRepeats";
  readonly repeats: readonly JobId[];

  constructor(repeats: readonly JobId[]) {
    super("repeats took money from their neighbours");
    this.repeats = repeats;
  }
}

/** @throws FundedRepeats when nothing of it may be kept: it has to be done again without them */
async function acceptTogether(
  pool: Pool | Tenants,
  deciding: Deciding,
  jobs: readonly NewJob[],
): Promise<ReadonlyMap<JobId, Result>> {
  const customers = jobs.map(({ customerId }) => customerId);
  return await transaction(seenBy(pool, customers), async (client) => {
    const decided = await decideAll(client, deciding, jobs);
    const rows = decided.flatMap((each) => (each.kind === "funded" ? [rowOf(each)] : []));
    const values = [JSON.stringify(rows), IN_FLIGHT_LEASE_MS];
    const accepted =
      rows.length === 0 ? [] : (await client.query<AcceptedRow>({ name: "accept", text: ACCEPT, values })).rows;
    const results = new Map<JobId, Result>(accepted.map((row) => [row.id, acceptedOf(row)]));
    for (const [n, each] of decided.entries()) {
      const id = jobs[n]?.id;
      if (each.kind !== "funded" && id !== undefined) results.set(id, each);
    }
    const repeats = jobs.filter(({ id }, n) => !results.has(id) && hasNeighbourToPay(jobs, decided, n));
    if (repeats.length > 0) throw new FundedRepeats(repeats.map(({ id }) => id));
    return results;
  });
}

function acceptedOf(row: AcceptedRow): Accepted {
  const { created_ms: createdAtMs, deadline_ms: deadlineAtMs, turn_ms: turnAtMs } = row;
  return { kind: "accepted", createdAtMs, deadlineAtMs, turnAtMs };
}

/** Whether what the n-th job took, in thought, was missing to a later one of the same customer. */
function hasNeighbourToPay(jobs: readonly NewJob[], decided: readonly Decided[], n: number): boolean {
  return decided.some((each, later) => {
    if (later <= n || jobs[later]?.customerId !== jobs[n]?.customerId) return false;
    return each.kind !== "funded" || each.hold.slices !== null;
  });
}

/** A job whose hold fits, with where its money comes from. */
interface FundedJob {
  readonly kind: "funded";
  readonly job: NewJob;
  readonly hold: Hold;
  readonly turnAtMs: number;
  readonly account: LockedAccount;
  readonly alerts: readonly Alert[];
}

type Decided = FundedJob | Refused | Congested;

/** Decides for one job after the other whether it may be accepted, and what it takes from its customer's account. */
async function decideAll(
  client: Queryable,
  { terms, ...limits }: Deciding,
  jobs: readonly NewJob[],
): Promise<readonly Decided[]> {
  const accounts = new Map(
    await lockAccounts(
      client,
      jobs.map((job) => job.customerId),
    ),
  );
  const decided: Decided[] = [];
  for (const job of jobs) {
    const account = accounts.get(job.customerId);
    if (account === undefined) throw new Error(`the customer ${job.customerId} has no account`);
    const { termsId } = job.redrive ?? account;
    const version = termsId === null ? job.version : atPricesOf(await terms(termsId, client), job.version);
    const turnAtMs = turnOf(account.clockMs, account.openJobs);
    const congestion = congestionFor(job, account, turnAtMs, limits);
    if (congestion !== null) {
      decided.push({ kind: "congested", congestion });
      continue;
    }
    const amount = holdFor(version.terms.price);
    const funding = fund(account, { outcomeType: version.name, amount });
    if (funding.kind === "refused") {
      decided.push(funding);
      continue;
    }
    const after = { ...account, ...funding.account, openJobs: account.openJobs + 1 };
    accounts.set(job.customerId, after);
    const { id: jobId, customerId } = job;
    decided.push({
      kind: "funded",
      job,
      hold: { jobId, customerId, amount, slices: funding.slices },
      turnAtMs,
      account: after,
      alerts: alertsBetween(account, after),
    });
  }
  return decided;
}

function congestionFor(
  { version }: NewJob,
  { openJobs, openJobsMax }: LockedAccount,
  turnAtMs: number,
  limits: AcceptOptions,
): Congestion | null {
  const { terms } = version;
  const load = limits.loadOf(terms.cascade[0].tier);
  return congestionOf({ terms, turnAtMs, openJobs, openJobsMax: openJobsMax ?? limits.openJobsMax, load });
}

function rowOf({ job, hold: held, turnAtMs, account, alerts }: FundedJob): JsonObject {
  const { id, customerId, version, idempotent, redrive } = job;
  // Times are relative to the customer's clock, which the statement adds.
  const accepted = newJob(id, version.terms, 0);
  return {
    id,
    customer_id: customerId,
    outcome_type: version.name,
    version_id: version.id,
    terms_id: (redrive ?? account).termsId,
    outcome_key: job.outcomeKey,
    state: accepted.state,
    progress: JSON.parse(JSON.stringify(storedProgress(accepted.progress))) as JsonObject,
    cost_cap: version.terms.costCap.toString(),
    now_ms: account.nowMs,
    deadline_ms: accepted.deadlineAtMs,
    turn_ms: turnAtMs,
    wake_ms: accepted.wakeAtMs,
    traceparent: job.traceparent,
    input: job.input,
    metadata: job.metadata,
    event: { outcome_type: version.name, version: version.version },
    hold: held.amount.toString(),
    billing: account.billing,
    slices: (held.slices ?? []).map(({ grantId, amount }) => [grantId, amount.toString()]),
    period_ms: account.periodStartMs,
    alerts: alerts.map((alert) => ({ id: newId("evt"), ...alert })),
    currency: version.currency,
    transaction: transactionRow(hold(held), version.currency),
    key: idempotent?.key ?? null,
    fingerprint: idempotent?.fingerprint ?? null,
    status: idempotent?.answer?.status ?? null,
    body: idempotent?.answer?.body ?? null,
    redrive_of: redrive?.of ?? null,
    retention_days: version.payloadRetentionDays,
  };
}
