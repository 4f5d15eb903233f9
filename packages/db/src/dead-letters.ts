/**
 * Dead letters: jobs that ended because the system broke. They are written by the database itself, with the end of the job
 * (0024_dead_letters.sql); here they are looked at, and end. Open ones are read by an index that knows no others, one by
 * its key; no lock but on the row that is ended.
 */
import type {
  AttemptId,
  CustomerId,
  CustomerTermsId,
  InquiryId,
  JobId,
  KeyId,
  OutcomeTypeVersionId,
} from "@contingent/core/ids";
import type { DeadLetterCause, DeadLetterState } from "@contingent/core/job/dead-letter";
import type { Reason } from "@contingent/core/job/job";
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import { batched } from "./batch.ts";
import { msOf } from "./job-row.ts";
import { foundText, opened, openedOr, type Payloads } from "./payloads/payloads.ts";
import type { Pool, Queryable } from "./pool.ts";

export interface DeadLetter {
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly outcomeType: string;
  readonly version: number;
  readonly currency: Currency;
  readonly cause: DeadLetterCause;
  readonly reason: Reason;
  readonly attempts: number;
  readonly cost: Nanos;
  /** The dead letter that the job itself had been to do once more. */
  readonly redriveOf: JobId | null;
  readonly acceptedAtMs: number;
  readonly atMs: number;
  readonly state: DeadLetterState;
  readonly redrivenAs: JobId | null;
  readonly dismissedReason: string | null;
  readonly endedBy: KeyId | null;
  readonly endedAtMs: number | null;
}

/** An attempt of the job, as far as it says what broke. */
export interface DeadAttempt {
  readonly id: AttemptId;
  readonly number: number;
  readonly tier: string;
  readonly model: string;
  readonly outcome: string | null;
  readonly error: string | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/** Something that broke while it held the job, or whom it asked. */
export interface Fault {
  readonly cause: "validator_error" | "validator_lost" | "unanswered";
  readonly attemptId: AttemptId;
  readonly error: string | null;
  readonly atMs: number;
}

export interface DeadLetterInFull extends DeadLetter {
  readonly attemptList: readonly DeadAttempt[];
  /** The newest first. */
  readonly faults: readonly Fault[];
}

export interface DeadLetterFilter {
  readonly state?: DeadLetterState | undefined;
  readonly cause?: DeadLetterCause | undefined;
  readonly outcomeType?: string | undefined;
  readonly customerId?: CustomerId | undefined;
  /** That died from the first instant on, and before the second; ms since the epoch. */
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** The newest faults that are shown of one job. */
const FAULTS_MAX = 20;

const STATE = `CASE WHEN d.ended_at IS NULL THEN 'open' WHEN d.redriven_as IS NOT NULL THEN 'redriven' ELSE 'dismissed' END`;

const COLUMNS = `
  d.job_id, d.customer_id, d.outcome_type, t.version, t.resolved ->> 'currency' AS currency, d.cause, j.reason, j.attempts,
  j.cost_known_nanos + j.cost_presumed_nanos AS cost_nanos, j.redrive_of, ${msOf("j.created_at")} AS accepted_ms,
  ${msOf("d.at")} AS dead_ms, ${STATE} AS state, d.redriven_as, d.dismissed_reason, d.ended_by, ${msOf("d.ended_at")} AS ended_ms`;

const FROM = `
    FROM dead_letter d
    JOIN job j ON j.id = d.job_id
    JOIN outcome_type_version t ON t.id = j.outcome_type_version_id`;

const ATTEMPTS = `(
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'id', a.id, 'number', a.number, 'tier', a.tier, 'model', a.model, 'outcome', a.outcome, 'error', a.error,
           'startedAtMs', ${msOf("a.started_at")}, 'endedAtMs', ${msOf("a.ended_at")}) ORDER BY a.number), '[]')
    FROM attempt a WHERE a.job_id = d.job_id)`;

const FAULTS = `(
  SELECT coalesce(jsonb_agg(f.fault ORDER BY f.at DESC), '[]') FROM (
    SELECT at, jsonb_build_object('cause', cause, 'attemptId', attempt_id, 'error', error, 'atMs', ${msOf("at")}) AS fault
      FROM job_fault WHERE job_id = d.job_id
    UNION ALL
    SELECT ended_at, jsonb_build_object('cause', 'unanswered', 'attemptId', attempt_id, 'inquiryId', id,
                                        'detail', detail, 'atMs', ${msOf("ended_at")})
      FROM inquiry WHERE job_id = d.job_id AND outcome = 'broke'
    ORDER BY 1 DESC LIMIT ${FAULTS_MAX}) f)`;

interface Row {
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly outcome_type: string;
  readonly version: number;
  readonly currency: Currency;
  readonly cause: DeadLetterCause;
  readonly reason: Reason;
  readonly attempts: number;
  readonly cost_nanos: bigint;
  readonly redrive_of: JobId | null;
  readonly accepted_ms: number;
  readonly dead_ms: number;
  readonly state: DeadLetterState;
  readonly redriven_as: JobId | null;
  readonly dismissed_reason: string | null;
  readonly ended_by: KeyId | null;
  readonly ended_ms: number | null;
}

interface FullRow extends Row {
  readonly attempt_list: readonly DeadAttempt[];
  readonly faults: readonly StoredFault[];
}

/** What broke while it was asked says why in the inquiry's detail. */
type StoredFault =
  | (Fault & { readonly cause: "validator_error" | "validator_lost" })
  | (Omit<Fault, "error"> & { readonly cause: "unanswered"; readonly inquiryId: InquiryId; readonly detail: Json });

/** Dead letters by their jobs, the oldest first; those after the given one. */
export async function listDeadLetters(
  db: Queryable,
  filter: DeadLetterFilter,
  page: { readonly after: JobId | null; readonly limit: number },
): Promise<readonly DeadLetter[]> {
  const { state, cause = null, outcomeType = null, customerId = null, fromMs = null, untilMs = null } = filter;
  const { rows } = await db.query<Row>({
    text: `SELECT ${COLUMNS} ${FROM}
            WHERE ${state === undefined ? "true" : STATES[state]}
              AND ($1::text IS NULL OR d.cause = $1) AND ($2::text IS NULL OR d.outcome_type = $2)
              AND ($3::text IS NULL OR d.customer_id = $3)
              AND ($4::float8 IS NULL OR d.at >= to_timestamp($4 / 1000))
              AND ($5::float8 IS NULL OR d.at < to_timestamp($5 / 1000)) AND ($6::text IS NULL OR d.job_id > $6)
            ORDER BY d.job_id LIMIT $7`,
    values: [cause, outcomeType, customerId, fromMs, untilMs, page.after, page.limit],
  });
  return rows.map(letterOf);
}

/** In words that the index of the open ones is found by. */
const STATES: Readonly<Record<DeadLetterState, string>> = {
  open: "d.ended_at IS NULL",
  redriven: "d.redriven_as IS NOT NULL",
  dismissed: "d.dismissed_reason IS NOT NULL",
};

/** The dead letter of this job with what is known of why; null: there is none. */
export async function findDeadLetter(
  db: Queryable,
  jobId: JobId,
  payloads: Payloads,
): Promise<DeadLetterInFull | null> {
  const { rows } = await db.query<FullRow>({
    text: `SELECT ${COLUMNS}, ${ATTEMPTS} AS attempt_list, ${FAULTS} AS faults ${FROM} WHERE d.job_id = $1`,
    values: [jobId],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    ...letterOf(row),
    attemptList: await Promise.all(row.attempt_list.map((attempt) => openedAttempt(payloads, attempt))),
    faults: await Promise.all(row.faults.map((fault) => openedFault(payloads, fault))),
  };
}

/** What the provider or the service said may quote the customer's texts, so it is stored as those are. */
async function openedAttempt(payloads: Payloads, attempt: DeadAttempt): Promise<DeadAttempt> {
  if (attempt.error === null) return attempt;
  const error = await foundText(payloads, `error ${attempt.id}`, attempt.error);
  return { ...attempt, error: error.kind === "kept" ? error.value : null };
}

async function openedFault(payloads: Payloads, fault: StoredFault): Promise<Fault> {
  if (fault.cause !== "unanswered") return fault;
  const { inquiryId, detail, ...rest } = fault;
  const said = await openedOr(payloads, `detail ${inquiryId}`, detail, null);
  const error = isJsonObject(said) ? said["error"] : undefined;
  return { ...rest, error: typeof error === "string" ? error : null };
}

/** Why jobs left dead letters, of those that did; many ids to a statement. */
export function deathCauses(pool: Pool): (jobId: JobId) => Promise<DeadLetterCause | null> {
  const text = "SELECT job_id, cause FROM dead_letter WHERE job_id = ANY($1::text[])";
  return batched<JobId, DeadLetterCause | null>({
    run: async (ids) => {
      const { rows } = await pool.query<Pick<Row, "job_id" | "cause">>({ name: "death-causes", text, values: [ids] });
      const byId = new Map(rows.map((row) => [row.job_id, row.cause]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  });
}

/** What it takes to do a dead letter's job once more. */
export interface Redrivable {
  readonly customerId: CustomerId;
  readonly versionId: OutcomeTypeVersionId;
  readonly termsId: CustomerTermsId | null;
  readonly input: Json;
  readonly metadata: JsonObject;
}

interface RedrivableRow {
  readonly customer_id: CustomerId;
  readonly outcome_type_version_id: OutcomeTypeVersionId;
  readonly customer_terms_id: CustomerTermsId | null;
  readonly input: Json;
  readonly metadata: JsonObject;
}

/**
 * Says who is about to end the dead letter, and answers what its job was; null: it has ended, or there is none.
 * @throws PayloadDropped when nobody knows any more what the job was
 */
export async function takeForRedrive(
  db: Queryable,
  jobId: JobId,
  by: KeyId,
  payloads: Payloads,
): Promise<Redrivable | null> {
  const { rows } = await db.query<RedrivableRow>({
    text: `
      UPDATE dead_letter d SET ended_by = $2 FROM job j JOIN job_input i ON i.job_id = j.id
       WHERE d.job_id = $1 AND d.ended_at IS NULL AND j.id = d.job_id
      RETURNING j.customer_id, j.outcome_type_version_id, j.customer_terms_id, i.input, i.metadata`,
    values: [jobId, by],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    customerId: row.customer_id,
    versionId: row.outcome_type_version_id,
    termsId: row.customer_terms_id,
    input: await opened(payloads, `input ${jobId}`, row.input),
    metadata: await opened(payloads, `metadata ${jobId}`, row.metadata),
  };
}

/** Ends the dead letter without doing its job again. Nothing where it has ended already. */
export async function dismissDeadLetter(
  db: Queryable,
  jobId: JobId,
  dismissal: { readonly reason: string; readonly by: KeyId },
): Promise<void> {
  await db.query({
    text: `
      UPDATE dead_letter SET dismissed_reason = $2, ended_by = $3, ended_at = clock_timestamp()
       WHERE job_id = $1 AND ended_at IS NULL`,
    values: [jobId, dismissal.reason, dismissal.by],
  });
}

/** Writes down what broke while it held the job at this revision; once. */
export async function recordFault(
  db: Queryable,
  fault: {
    readonly jobId: JobId;
    readonly revision: number;
    readonly attemptId: AttemptId;
    readonly cause: "validator_error" | "validator_lost";
    readonly error: string;
  },
): Promise<void> {
  await db.query({
    name: "record-fault",
    text: "INSERT INTO job_fault (job_id, revision, attempt_id, cause, error) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    values: [fault.jobId, fault.revision, fault.attemptId, fault.cause, fault.error],
  });
}

function letterOf(row: Row): DeadLetter {
  const { version, currency, cause, reason, attempts, state } = row;
  return {
    jobId: row.job_id,
    customerId: row.customer_id,
    outcomeType: row.outcome_type,
    version,
    currency,
    cause,
    reason,
    attempts,
    cost: nanos(row.cost_nanos),
    redriveOf: row.redrive_of,
    acceptedAtMs: row.accepted_ms,
    atMs: row.dead_ms,
    state,
    redrivenAs: row.redriven_as,
    dismissedReason: row.dismissed_reason,
    endedBy: row.ended_by,
    endedAtMs: row.ended_ms,
  };
}
