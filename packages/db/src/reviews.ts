/**
 * What people are asked to decide: inquiries to persons, as reviewers see them. Open ones are read by the index of the review
 * queue, one by its key; no lock.
 */
import type { AttemptId, CustomerId, InquiryId, JobId, OutcomeTypeVersionId } from "@contingent/core/ids";
import type { InquiryOutcome } from "@contingent/core/job/facts";
import type { InquiryKind } from "@contingent/core/job/job";
import { isJsonObject, type Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { openedReplies, type RecordedReply, repliesAbout } from "./inquiries.ts";
import { msOf } from "./job-row.ts";
import { foundText, openedOr, type Payloads } from "./payloads/payloads.ts";
import type { Queryable } from "./pool.ts";

export interface ReviewView {
  readonly id: InquiryId;
  readonly kind: InquiryKind;
  readonly leaf: string;
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly outcomeType: string;
  readonly version: number;
  readonly openedAtMs: number;
  /** Both by the customer's clock. */
  readonly dueAtMs: number;
  readonly nowMs: number;
  /** Null: it is open. */
  readonly outcome: InquiryOutcome | null;
  readonly endedAtMs: number | null;
  readonly score: number | null;
  readonly findings: readonly Finding[] | null;
  /** What the reviewer sent, as it was recorded. */
  readonly detail: Json;
  readonly repliedBy: string | null;
}

/** A review with what to decide it by. */
export interface ReviewInFull extends ReviewView {
  readonly attemptId: AttemptId;
  readonly versionId: OutcomeTypeVersionId;
  /** Index of the step of the cascade that the answer was made on, as long as it waits for its verdict. */
  readonly step: number;
  readonly input: Json;
  /** The model's answer as it came. */
  readonly text: string;
  /** What others have said to inquiries about the same answer. */
  readonly replies: readonly RecordedReply[];
  /** The last inquiry about it that brought no reply of use; null: each of them brought one. */
  readonly broken: BrokenInquiry | null;
}

export interface BrokenInquiry {
  readonly leaf: string;
  /** `name@version`. */
  readonly validator: string;
  /** Null: nobody answered, and that was all. */
  readonly error: string | null;
}

interface Row {
  readonly id: InquiryId;
  readonly kind: InquiryKind;
  readonly leaf: string;
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly outcome_type: string;
  readonly version: number;
  readonly opened_ms: number;
  readonly due_ms: number;
  readonly now_ms: number;
  readonly outcome: InquiryOutcome | null;
  readonly ended_ms: number | null;
  readonly score: number | null;
  readonly findings: readonly Finding[] | null;
  readonly detail: Json;
  readonly replied_by: string | null;
}

interface FullRow extends Row {
  readonly attempt_id: AttemptId;
  readonly version_id: OutcomeTypeVersionId;
  readonly step: number;
  readonly input: Json;
  readonly text: string | null;
  readonly replies: readonly RecordedReply[] | null;
  readonly broken: (Omit<BrokenInquiry, "error"> & { readonly id: InquiryId; readonly detail: Json }) | null;
}

/** Those of a reply whose words have been dropped. */
const NO_FINDINGS: readonly Finding[] = [];

const COLUMNS = `
  q.id, q.kind, q.leaf, q.job_id, j.customer_id, t.name AS outcome_type, t.version, ${msOf("q.opened_at")} AS opened_ms,
  ${msOf("q.due_at")} AS due_ms, ${msOf("clock_timestamp() + account.clock_offset")} AS now_ms, q.outcome,
  ${msOf("q.ended_at")} AS ended_ms, q.score, q.findings, q.detail, q.replied_by`;

const JOINS = `
    JOIN job j ON j.id = q.job_id
    JOIN customer_account account ON account.customer_id = j.customer_id
    JOIN outcome_type_version t ON t.id = j.outcome_type_version_id`;

const OPEN = `
  SELECT ${COLUMNS} FROM inquiry q ${JOINS}
   WHERE q.asked = 'person' AND q.outcome IS NULL
     AND ($1::text IS NULL OR t.name = $1) AND ($2::text IS NULL OR q.kind = $2)
     AND ($3::text IS NULL OR (q.opened_at, q.id) > (SELECT opened_at, id FROM inquiry WHERE id = $3))
   ORDER BY q.opened_at, q.id LIMIT $4`;

const ONE = `
  SELECT ${COLUMNS}, q.attempt_id, t.id AS version_id, (j.progress ->> 'step')::int AS step, i.input, a.output AS text,
         ${repliesAbout("a.id")} AS replies,
         (SELECT jsonb_build_object('id', b.id, 'leaf', b.leaf, 'validator', b.validator, 'detail', b.detail)
            FROM inquiry b WHERE b.job_id = q.job_id AND b.attempt_id = a.id AND b.kind = 'leaf' AND b.outcome = 'broke'
           ORDER BY b.ended_at DESC, b.id DESC LIMIT 1) AS broken
    FROM inquiry q ${JOINS}
    JOIN job_input i ON i.job_id = j.id
    JOIN attempt a ON a.id = q.attempt_id
   WHERE q.id = $1 AND q.asked = 'person'`;

export interface OpenReviews {
  readonly outcomeType: string | undefined;
  readonly kind: InquiryKind | undefined;
  /** Those that were opened after this one. */
  readonly after: InquiryId | null;
  readonly limit: number;
}

/** Open reviews, the oldest first. */
export async function listOpenReviews(
  db: Queryable,
  open: OpenReviews,
  payloads: Payloads,
): Promise<readonly ReviewView[]> {
  const { outcomeType = null, kind = null, after, limit } = open;
  const { rows } = await db.query<Row>({ text: OPEN, values: [outcomeType, kind, after, limit] });
  return await Promise.all(rows.map((row) => viewOf(payloads, row)));
}

/** The review of this id, open or over; null: there is none. */
export async function findReview(db: Queryable, id: InquiryId, payloads: Payloads): Promise<ReviewInFull | null> {
  const { rows } = await db.query<FullRow>({ text: ONE, values: [id] });
  const [row] = rows;
  if (row === undefined) return null;
  const text = await foundText(payloads, `output ${row.attempt_id}`, row.text ?? "");
  const areDropped = text.kind === "dropped";
  return {
    ...(await viewOf(payloads, row)),
    attemptId: row.attempt_id,
    versionId: row.version_id,
    step: row.step,
    input: await openedOr(payloads, `input ${row.job_id}`, row.input, null),
    text: areDropped ? "" : text.value,
    replies: areDropped ? [] : await openedReplies(payloads, row.replies),
    broken: row.broken === null ? null : await brokenOf(payloads, row.broken),
  };
}

async function brokenOf(payloads: Payloads, row: NonNullable<FullRow["broken"]>): Promise<BrokenInquiry> {
  const { id, leaf, validator } = row;
  const detail = await openedOr(payloads, `detail ${id}`, row.detail, null);
  const error = isJsonObject(detail) ? detail["error"] : undefined;
  return { leaf, validator, error: typeof error === "string" ? error : null };
}

async function viewOf(payloads: Payloads, row: Row): Promise<ReviewView> {
  const { id, kind, leaf, version, outcome, score } = row;
  const findings = row.findings === null ? null : await openedOr(payloads, `findings ${id}`, row.findings, NO_FINDINGS);
  const detail = await openedOr(payloads, `detail ${id}`, row.detail, null);
  return {
    id,
    kind,
    leaf,
    jobId: row.job_id,
    customerId: row.customer_id,
    outcomeType: row.outcome_type,
    version,
    openedAtMs: row.opened_ms,
    dueAtMs: row.due_ms,
    nowMs: row.now_ms,
    outcome,
    endedAtMs: row.ended_ms,
    score,
    findings,
    detail,
    repliedBy: row.replied_by,
  };
}
