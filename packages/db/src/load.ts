/**
 * Loading jobs for the services: one statement per kind of message for whatever ids are waiting.
 * Each reads by primary key only, takes no lock, and answers nothing for an id that does not exist.
 */
import type { Hold } from "@contingent/core/books/books";
import type { Billing } from "@contingent/core/books/funding";
import type { AttemptId, CustomerId, GrantId, JobId, VerdictId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import type { Job } from "@contingent/core/job/job";
import { nanos } from "@contingent/core/money";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { type Finding, rejectionFinding } from "@contingent/core/verdict";
import { batched } from "./batch.ts";
import { openedReplies, type RecordedReply, repliesAbout } from "./inquiries.ts";
import { insist } from "./insist.ts";
import { jobColumns, type JobRow, jobOf } from "./job-row.ts";
import type { OutcomeTypeVersions } from "./outcome-types.ts";
import { opened, openedOr, openedText, type Payloads } from "./payloads/payloads.ts";
import type { Pool } from "./pool.ts";

export interface LoadedJob {
  readonly job: Job;
  readonly version: OutcomeTypeVersion;
  readonly customerId: CustomerId;
  readonly outcomeKey: string | null;
  /** Trace context of the request that made the job. */
  readonly traceparent: string | null;
  /** The customer's clock when the row was read, ms since the epoch: the database's, unless a test clock moved it. */
  readonly nowMs: number;
  /** `performance.now()` just before the row was asked for. */
  readonly askedAtMs: number;
}

export interface JobForAttempt extends LoadedJob {
  readonly input: Json;
  /** What customers said of outcomes that they rejected, then the findings of the latest verdict; empty before the first. */
  readonly findings: readonly Finding[];
  /** Span of the attempt before this one, to link to. */
  readonly previousTraceparent: string | null;
}

export interface JobForValidation extends LoadedJob {
  readonly input: Json;
  /** The text to judge; null when the job is not waiting for a verdict. */
  readonly answer: {
    readonly attemptId: AttemptId;
    readonly text: string;
    /** Who wrote it. */
    readonly producer: { readonly tier: string; readonly provider: string; readonly model: string };
  } | null;
  /** What was replied to inquiries about it. The open inquiry, if there is one, is part of the job's progress. */
  readonly replies: readonly RecordedReply[];
  /** The process that waits for the reply to the open inquiry; null: none does, because the reply comes by itself. */
  readonly asker: string | null;
}

export interface JobForSettlement extends LoadedJob {
  readonly hold: Hold;
}

export interface JobLoader {
  readonly forAttempt: (id: JobId) => Promise<JobForAttempt | null>;
  readonly forValidation: (id: JobId) => Promise<JobForValidation | null>;
  readonly forSettlement: (id: JobId) => Promise<JobForSettlement | null>;
}

interface AttemptRow extends JobRow {
  readonly input: Json;
  readonly verdict_id: VerdictId | null;
  readonly findings: readonly Finding[] | null;
  /** Reasons of rejections, the latest one first. */
  readonly rejections: readonly string[] | null;
  readonly previous_traceparent: string | null;
}

interface ValidationRow extends JobRow {
  readonly input: Json;
  readonly answer_attempt_id: AttemptId | null;
  readonly answer_text: string | null;
  readonly tier: string;
  readonly provider: string;
  readonly model: string;
  readonly replies: readonly RecordedReply[] | null;
  readonly asker: string | null;
}

interface SettlementRow extends JobRow {
  readonly held_nanos: bigint;
  readonly billing: Billing;
  /** Grant and amount. Text, because JSON numbers are doubles. */
  readonly slices: readonly (readonly [GrantId, string])[] | null;
}

const JOB_COLUMNS = jobColumns("account.clock_offset");

/** The latest ones: each may be long, and together they must not crowd out the cost cap. */
const REJECTIONS_MAX = 3;

// A rejection speaks to every later attempt: no validator will ever repeat what only the customer saw.
const FOR_ATTEMPT = `
  SELECT ${JOB_COLUMNS}, i.input, v.id AS verdict_id, v.findings, r.rejections, a.traceparent AS previous_traceparent
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN customer_account account ON account.customer_id = j.customer_id
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN LATERAL (
      SELECT id, findings FROM verdict WHERE job_id = j.id ORDER BY at DESC LIMIT 1) v ON j.attempts > 0
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(reason ORDER BY revision DESC) AS rejections
        FROM (SELECT reason, revision FROM acceptance_decision
               WHERE job_id = j.id AND decision = 'reject' AND j.progress ->> 'reworkedAfter' IS NOT NULL
               ORDER BY revision DESC LIMIT ${REJECTIONS_MAX}) latest) r ON true
    LEFT JOIN LATERAL (
      SELECT traceparent FROM attempt WHERE job_id = j.id ORDER BY number DESC LIMIT 1) a ON j.attempts > 0`;

const FOR_VALIDATION = `
  SELECT ${JOB_COLUMNS}, i.input, a.id AS answer_attempt_id, a.output AS answer_text,
         a.tier, a.provider, a.model, ${repliesAbout("a.id")} AS replies,
         (SELECT holder FROM inquiry WHERE id = j.progress -> 'inquiry' ->> 'inquiryId') AS asker
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN customer_account account ON account.customer_id = j.customer_id
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN attempt a ON j.state = 'validating' AND a.id = j.progress -> 'current' ->> 'attemptId'`;

const FOR_SETTLEMENT = `
  SELECT ${JOB_COLUMNS}, h.amount_nanos AS held_nanos, h.billing,
         CASE WHEN h.billing = 'prepaid' THEN (
           SELECT json_agg(json_build_array(s.grant_id, s.amount_nanos::text) ORDER BY s.seq)
             FROM hold_slice s WHERE s.job_id = h.job_id) END AS slices
    FROM unnest($1::text[]) AS wanted (id)
    JOIN job j ON j.id = wanted.id
    JOIN customer_account account ON account.customer_id = j.customer_id
    JOIN hold h ON h.job_id = j.id`;

/**
 * How long the handler of a message waits for a database that is away, before the message is dropped and left to the
 * sweeper, which comes much later.
 */
export const MESSAGE_PATIENCE_MS = 10_000;

/** Loaders that share one pool; concurrent loads of one kind become one statement. */
export function jobLoader(
  pool: Pool,
  versions: OutcomeTypeVersions,
  options: { readonly patienceMs: number; readonly payloads: Payloads },
): JobLoader {
  const { patienceMs, payloads } = options;
  async function loaded({ row, askedAtMs }: Read<JobRow>): Promise<LoadedJob> {
    const version = await versions.pinned(row.outcome_type_version_id, row.customer_terms_id);
    return {
      job: jobOf(row, version.terms),
      version,
      customerId: row.customer_id,
      outcomeKey: row.outcome_key,
      traceparent: row.traceparent,
      nowMs: row.now_ms,
      askedAtMs,
    };
  }
  /** A message about a closed job is late, and needs nothing of what may have been dropped by then. */
  async function inputOf({ id, state, input }: JobRow & { readonly input: Json }): Promise<Json> {
    if (state === "closed") return await openedOr(payloads, `input ${id}`, input, null);
    return await opened(payloads, `input ${id}`, input);
  }
  const patiently = <Row extends JobRow>(read: (id: JobId) => Promise<Read<Row> | null>): typeof read => {
    return (id) => insist(() => read(id), performance.now() + patienceMs);
  };
  const attempt = patiently(readsById<AttemptRow>(pool, "load-for-attempt", FOR_ATTEMPT));
  const validation = patiently(readsById<ValidationRow>(pool, "load-for-validation", FOR_VALIDATION));
  const settlement = patiently(readsById<SettlementRow>(pool, "load-for-settlement", FOR_SETTLEMENT));
  return {
    async forAttempt(id) {
      const read = await attempt(id);
      if (read === null) return null;
      const { rejections, previous_traceparent: previousTraceparent } = read.row;
      const { verdict_id: verdictId, findings: stored } = read.row;
      const input = await inputOf(read.row);
      const findings = stored === null ? [] : await openedOr(payloads, `findings ${verdictId}`, stored, []);
      const feedback = [...(rejections ?? []).map(rejectionFinding), ...findings];
      return { ...(await loaded(read)), input, findings: feedback, previousTraceparent };
    },
    async forValidation(id) {
      const read = await validation(id);
      if (read === null) return null;
      const { answer_attempt_id: attemptId, answer_text: stored, tier, provider, model } = read.row;
      const input = await inputOf(read.row);
      const text = stored === null ? null : await openedText(payloads, `output ${attemptId}`, stored);
      const replies = await openedReplies(payloads, read.row.replies);
      const producer = { tier, provider, model };
      const answer = attemptId === null || text === null ? null : { attemptId, text, producer };
      return { ...(await loaded(read)), input, answer, replies, asker: read.row.asker };
    },
    async forSettlement(id) {
      const read = await settlement(id);
      return read === null ? null : { ...(await loaded(read)), hold: holdOf(read.row) };
    },
  };
}

function holdOf(row: SettlementRow): Hold {
  const { id: jobId, customer_id: customerId, held_nanos: amount, billing } = row;
  const slices = (row.slices ?? []).map(([grantId, text]) => ({ grantId, amount: nanos(BigInt(text)) }));
  return { jobId, customerId, amount: nanos(amount), slices: billing === "prepaid" ? slices : null };
}

/** A row, and when it was asked for. */
interface Read<Row> {
  readonly row: Row;
  readonly askedAtMs: number;
}

function readsById<Row extends JobRow>(
  pool: Pool,
  name: string,
  text: string,
): (id: JobId) => Promise<Read<Row> | null> {
  return batched<JobId, Read<Row> | null>({
    run: async (ids) => {
      const askedAtMs = performance.now();
      const { rows } = await pool.query<Row>({ name, text, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, { row, askedAtMs }]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  });
}
