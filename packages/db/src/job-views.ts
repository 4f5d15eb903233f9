/**
 * Jobs as they are looked at from outside: one statement for however many ids or for one page of a list. Reads by primary
 * key, by `job_by_customer` for lists, takes no lock. Never what the next step is decided upon.
 */
import type { AttemptId, CustomerId, JobId, VerdictId } from "@contingent/core/ids";
import type { JobState, Reason, Resolution } from "@contingent/core/job/job";
import type { Json } from "@contingent/core/json";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import type { Decision, Finding, LeafVerdict } from "@contingent/core/verdict";
import { batched } from "./batch.ts";
import { msOf } from "./job-row.ts";
import { openedOr, type Payloads } from "./payloads/payloads.ts";
import type { Pool } from "./pool.ts";
import { seenBy, type Tenants } from "./tenants.ts";

export interface VerdictView {
  readonly id: VerdictId;
  readonly attemptId: AttemptId;
  readonly decision: Decision;
  readonly score: number;
  readonly findings: readonly Finding[];
  readonly validators: readonly string[];
  /** Null for verdicts from before leaves were recorded. */
  readonly leaves: readonly LeafVerdict[] | null;
  /** The numbers that the answer carries about itself, by name. */
  readonly features: Readonly<Record<string, number>>;
  readonly evidenceHash: string;
  readonly durationMs: number;
  readonly cost: Nanos;
}

export interface AttemptView {
  readonly id: AttemptId;
  readonly number: number;
  readonly tier: string;
  readonly model: string;
  /** Null while the call is under way. */
  readonly outcome: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly cost: Nanos;
  readonly verdict: VerdictView | null;
}

export interface ChargeView {
  readonly amount: Nanos;
  /** What of it was given back. */
  readonly credited: Nanos;
  readonly verdictId: VerdictId;
  readonly atMs: number;
}

export interface JobView {
  readonly id: JobId;
  readonly customerId: CustomerId;
  readonly outcomeType: string;
  readonly version: number;
  readonly currency: Currency;
  readonly outcomeKey: string | null;
  readonly state: JobState;
  readonly revision: number;
  readonly resolution: Resolution | null;
  readonly reason: Reason | null;
  /** What is delivered, also while it awaits acceptance; null unless the resolution is a success or partial. */
  readonly output: Json;
  /** The verdict that decided, or the latest one while none has. */
  readonly verdict: VerdictView | null;
  readonly attempts: number;
  /** Only when asked for. */
  readonly attemptList: readonly AttemptView[] | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly charge: ChargeView | null;
  /** What the provider charges the operator, lost calls at their worst case. */
  readonly cost: Nanos;
  readonly metadata: Readonly<Record<string, string>>;
  /** Since when the texts are gone: input, output, findings and metadata. Null: they are there. */
  readonly payloadDroppedAtMs: number | null;
  readonly traceparent: string | null;
  readonly createdAtMs: number;
  readonly deadlineAtMs: number;
  /** Until when the delivered outcome may be accepted or rejected; null when there is none to decide on. */
  readonly settlesAtMs: number | null;
  readonly closedAtMs: number | null;
  /** The job that this one does once more, and the one that does this one once more; null: none. */
  readonly redriveOf: JobId | null;
  readonly redrivenAs: JobId | null;
}

const VERDICT_JSON = (v: string): string =>
  `jsonb_build_object('id', ${v}.id, 'attemptId', ${v}.attempt_id, 'decision', ${v}.decision, 'score', ${v}.score,
                      'findings', ${v}.findings, 'validators', ${v}.validators, 'leaves', ${v}.leaves,
                      'features', ${v}.features, 'evidenceHash', ${v}.evidence_hash, 'durationMs', ${v}.duration_ms,
                      'cost', (${v}.cost_nanos + (SELECT coalesce(sum(q.cost_nanos), 0) FROM inquiry q
                                WHERE q.job_id = ${v}.job_id AND q.attempt_id = ${v}.attempt_id))::text)`;

const ATTEMPT_LIST = `
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object(
               'id', a.id, 'number', a.number, 'tier', a.tier, 'model', a.model, 'outcome', a.outcome,
               'inputTokens', a.input_tokens, 'outputTokens', a.output_tokens,
               'startedAtMs', ${msOf("a.started_at")}, 'endedAtMs', ${msOf("a.ended_at")}, 'cost', a.cost_nanos::text,
               'verdict', CASE WHEN v.id IS NOT NULL THEN ${VERDICT_JSON("v")} END) ORDER BY a.number) AS list
        FROM attempt a LEFT JOIN verdict v ON v.attempt_id = a.id
       WHERE a.job_id = j.id) attempts ON true`;

/** The statement that makes views of the jobs that `source` (a FROM item called `j`) yields. */
function viewsOf(source: string, withAttempts: boolean): string {
  return `
  SELECT j.id, j.customer_id, j.outcome_type, t.version, t.resolved ->> 'currency' AS currency, j.outcome_key, j.state,
         j.revision, j.resolution, j.reason, j.attempts, i.metadata, j.traceparent,
         ${msOf("j.payload_dropped_at")} AS payload_dropped_ms,
         j.cost_known_nanos + j.cost_presumed_nanos AS cost_nanos,
         ${msOf("j.created_at")} AS created_ms, ${msOf("j.deadline_at")} AS deadline_ms, ${msOf("j.closed_at")} AS closed_ms,
         CASE WHEN j.state = 'awaiting_acceptance' THEN ${msOf("j.ready_at")} END AS settles_ms,
         spent.input_tokens, spent.output_tokens,
         CASE WHEN v.id IS NOT NULL THEN ${VERDICT_JSON("v")} END AS verdict,
         CASE WHEN j.resolution IN ('success', 'partial') THEN v.output END AS output,
         c.amount_nanos AS charged_nanos, c.verdict_id AS charged_verdict_id,
         coalesce((SELECT max(credited_after_nanos) FROM credit_note WHERE job_id = c.job_id), 0)::bigint AS credited_nanos,
         ${msOf("c.at")} AS charged_ms, j.redrive_of, (SELECT id FROM job WHERE redrive_of = j.id) AS redriven_as,
         ${withAttempts ? "coalesce(attempts.list, '[]')" : "NULL::jsonb"} AS attempt_list
    FROM ${source}
    JOIN outcome_type_version t ON t.id = j.outcome_type_version_id
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN charge c ON c.job_id = j.id
    LEFT JOIN LATERAL (
      SELECT coalesce(sum(input_tokens), 0)::float8 AS input_tokens, coalesce(sum(output_tokens), 0)::float8 AS output_tokens
        FROM attempt WHERE job_id = j.id) spent ON true
    LEFT JOIN LATERAL (
      SELECT * FROM verdict
       WHERE job_id = j.id
       ORDER BY coalesce(id = j.progress -> 'best' ->> 'verdictId', false) DESC, at DESC LIMIT 1) v ON j.attempts > 0
    ${withAttempts ? ATTEMPT_LIST : ""}`;
}

interface ViewRow {
  readonly id: JobId;
  readonly customer_id: CustomerId;
  readonly outcome_type: string;
  readonly version: number;
  readonly currency: Currency;
  readonly outcome_key: string | null;
  readonly state: JobState;
  readonly revision: number;
  readonly resolution: Resolution | null;
  readonly reason: Reason | null;
  readonly attempts: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly payload_dropped_ms: number | null;
  readonly traceparent: string | null;
  readonly cost_nanos: bigint;
  readonly created_ms: number;
  readonly deadline_ms: number;
  readonly settles_ms: number | null;
  readonly closed_ms: number | null;
  readonly redrive_of: JobId | null;
  readonly redriven_as: JobId | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly verdict: VerdictJson | null;
  readonly output: Json;
  readonly charged_nanos: bigint | null;
  readonly credited_nanos: bigint;
  readonly charged_verdict_id: VerdictId | null;
  readonly charged_ms: number | null;
  readonly attempt_list: readonly AttemptJson[] | null;
}

/** Amounts in JSON are strings: its numbers are doubles. */
type VerdictJson = Omit<VerdictView, "cost"> & { readonly cost: string };
type AttemptJson = Omit<AttemptView, "cost" | "verdict"> & {
  readonly cost: string;
  readonly verdict: VerdictJson | null;
};

/** Reads one job's view; null when there is no such job. Attempts are listed only when asked for. */
export type FindJobView = (id: JobId, options?: { readonly attempts?: boolean }) => Promise<JobView | null>;

/** A reader of views; concurrent reads become one statement. */
export function jobViews(pool: Pool, payloads: Payloads): FindJobView {
  return viewsOfCustomer(pool, payloads)(null);
}

/**
 * Readers of the views of each customer's jobs: another's there is not. Reads of several customers become one statement all
 * the same, for each of them looks again and again at the jobs that it waits for (six times the reads per second of readers
 * of their own, with 50 customers).
 */
export function jobViewsOfCustomers(tenants: Tenants, payloads: Payloads): (of: CustomerId) => FindJobView {
  return viewsOfCustomer(tenants, payloads);
}

function viewsOfCustomer(pool: Pool | Tenants, payloads: Payloads): (of: CustomerId | null) => FindJobView {
  const plain = viewsById(pool, payloads, "job-views", false);
  const detailed = viewsById(pool, payloads, "job-views-detailed", true);
  return (of) => (id, options) => (options?.attempts === true ? detailed({ id, of }) : plain({ id, of }));
}

/** A job that is looked for. */
interface Wanted {
  readonly id: JobId;
  /** Whose it has to be; null: it may be anybody's. */
  readonly of: CustomerId | null;
}

function viewsById(
  pool: Pool | Tenants,
  payloads: Payloads,
  name: string,
  withAttempts: boolean,
): (wanted: Wanted) => Promise<JobView | null> {
  const text = `${viewsOf("job j", withAttempts)}\n   WHERE j.id = ANY($1::text[])`;
  return batched<Wanted, JobView | null>({
    run: async (wanted) => {
      const customers = wanted.flatMap(({ of }) => of ?? []);
      const ids = wanted.map(({ id }) => id);
      const { rows } = await seenBy(pool, customers).query<ViewRow>({ name, text, values: [ids] });
      const views = await Promise.all(rows.map((row) => viewOf(payloads, row)));
      const byId = new Map(views.map((view) => [view.id, view]));
      return wanted.map(({ id, of }) => {
        const view = byId.get(id);
        // What the statement was for is all of the batch's customers: a neighbour's job is not this one's.
        return view === undefined || (of !== null && of !== view.customerId) ? null : view;
      });
    },
  });
}

/** What a list is limited to. Times are ms since the epoch; `from` inclusive, `until` exclusive. */
export interface JobFilter {
  readonly customerId?: CustomerId | undefined;
  readonly state?: JobState | undefined;
  readonly resolution?: Resolution | undefined;
  readonly outcomeType?: string | undefined;
  readonly outcomeKey?: string | undefined;
  readonly createdFromMs?: number | undefined;
  readonly createdUntilMs?: number | undefined;
}

export interface JobPage {
  /** Only jobs older than this one. */
  readonly before: JobId | null;
  readonly limit: number;
  readonly attempts: boolean;
}

/** Jobs from the newest to the oldest. */
export async function listJobViews(
  pool: Pool,
  filter: JobFilter,
  page: JobPage,
  payloads: Payloads,
): Promise<readonly JobView[]> {
  const values: (string | number)[] = [page.limit];
  const conditions: string[] = [];
  const condition = (sql: (parameter: string) => string, value: string | number | null | undefined): void => {
    if (value === undefined || value === null) return;
    values.push(value);
    conditions.push(sql(`$${values.length}`));
  };
  condition((p) => `customer_id = ${p}`, filter.customerId);
  condition((p) => `state = ${p}`, filter.state);
  condition((p) => `resolution = ${p}`, filter.resolution);
  condition((p) => `outcome_type = ${p}`, filter.outcomeType);
  condition((p) => `outcome_key = ${p}`, filter.outcomeKey);
  condition((p) => `created_at >= to_timestamp(${p}::float8 / 1000)`, filter.createdFromMs);
  condition((p) => `created_at < to_timestamp(${p}::float8 / 1000)`, filter.createdUntilMs);
  condition((p) => `id < ${p}`, page.before);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const source = `(SELECT * FROM job ${where} ORDER BY id DESC LIMIT $1) j`;
  const text = `${viewsOf(source, page.attempts)}\n   ORDER BY j.id DESC`;
  const { rows } = await pool.query<ViewRow>({ text, values });
  return await Promise.all(rows.map((row) => viewOf(payloads, row)));
}

async function viewOf(payloads: Payloads, row: ViewRow): Promise<JobView> {
  const { charged_nanos: amount, charged_verdict_id: verdictId, charged_ms: atMs } = row;
  return {
    id: row.id,
    customerId: row.customer_id,
    outcomeType: row.outcome_type,
    version: row.version,
    currency: row.currency,
    outcomeKey: row.outcome_key,
    state: row.state,
    revision: row.revision,
    resolution: row.resolution,
    reason: row.reason,
    output: row.verdict === null ? null : await openedOr(payloads, `output ${row.verdict.id}`, row.output, null),
    verdict: await verdictOf(payloads, row.verdict),
    attempts: row.attempts,
    attemptList:
      row.attempt_list === null ? null : await Promise.all(row.attempt_list.map((each) => attemptOf(payloads, each))),
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    charge:
      amount === null || verdictId === null || atMs === null
        ? null
        : { amount: nanos(amount), credited: nanos(row.credited_nanos), verdictId, atMs },
    cost: nanos(row.cost_nanos),
    metadata: await openedOr(payloads, `metadata ${row.id}`, row.metadata, {}),
    payloadDroppedAtMs: row.payload_dropped_ms,
    traceparent: row.traceparent,
    createdAtMs: row.created_ms,
    deadlineAtMs: row.deadline_ms,
    settlesAtMs: row.settles_ms,
    closedAtMs: row.closed_ms,
    redriveOf: row.redrive_of,
    redrivenAs: row.redriven_as,
  };
}

async function attemptOf(payloads: Payloads, attempt: AttemptJson): Promise<AttemptView> {
  return { ...attempt, cost: nanos(BigInt(attempt.cost)), verdict: await verdictOf(payloads, attempt.verdict) };
}

async function verdictOf(payloads: Payloads, verdict: VerdictJson | null): Promise<VerdictView | null> {
  if (verdict === null) return null;
  const findings = await openedOr(payloads, `findings ${verdict.id}`, verdict.findings, []);
  return { ...verdict, findings, cost: nanos(BigInt(verdict.cost)) };
}
