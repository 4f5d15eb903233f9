/** Disputes and credit notes, for people. Reads by their keys and the indexes of customer and job, takes no lock. */
import type { DisputeState } from "@contingent/core/books/disputes";
import type { CreditNoteId, CustomerId, DisputeId, GrantId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import { msOf } from "@contingent/db/job-row";
import type { Queryable } from "@contingent/db/pool";

export interface DisputeView {
  readonly id: DisputeId;
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly currency: Currency;
  readonly state: DisputeState;
  readonly reason: string;
  readonly amount: Nanos;
  readonly reverification: JsonObject;
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
  readonly resolution: string | null;
  readonly credit: { readonly id: CreditNoteId; readonly amount: Nanos } | null;
}

interface DisputeRow {
  readonly id: DisputeId;
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly currency: Currency;
  readonly state: DisputeState;
  readonly reason: string;
  readonly amount_nanos: bigint;
  readonly reverification: JsonObject;
  readonly opened_ms: number;
  readonly resolved_ms: number | null;
  readonly resolution: string | null;
  readonly credit_note_id: CreditNoteId | null;
  readonly credited_nanos: bigint | null;
}

const DISPUTES = `
  SELECT d.id, d.job_id, d.customer_id, c.currency, d.state, d.reason, d.amount_nanos, d.reverification, d.resolution,
         ${msOf("d.opened_at")} AS opened_ms, ${msOf("d.resolved_at")} AS resolved_ms,
         n.id AS credit_note_id, n.amount_nanos AS credited_nanos
    FROM dispute d JOIN charge c ON c.job_id = d.job_id LEFT JOIN credit_note n ON n.dispute_id = d.id`;

/** The dispute; null when there is none by this id. */
export async function findDispute(db: Queryable, id: DisputeId): Promise<DisputeView | null> {
  const { rows } = await db.query<DisputeRow>({
    name: "find-dispute",
    text: `${DISPUTES} WHERE d.id = $1`,
    values: [id],
  });
  return rows[0] === undefined ? null : disputeOf(rows[0]);
}

export interface ListFilter {
  readonly customerId?: CustomerId | undefined;
  readonly jobId?: JobId | undefined;
}

/** Disputes from the newest to the oldest, only those before the given one. */
export async function listDisputes(
  db: Queryable,
  filter: ListFilter & { readonly state?: DisputeState | undefined },
  page: { readonly before: DisputeId | null; readonly limit: number },
): Promise<readonly DisputeView[]> {
  const { rows } = await db.query<DisputeRow>({
    text: `${DISPUTES}
      WHERE ($1::text IS NULL OR d.customer_id = $1) AND ($2::text IS NULL OR d.job_id = $2)
        AND ($3::text IS NULL OR d.state = $3) AND ($4::text IS NULL OR d.id < $4)
      ORDER BY d.id DESC LIMIT $5`,
    values: [filter.customerId ?? null, filter.jobId ?? null, filter.state ?? null, page.before, page.limit],
  });
  return rows.map(disputeOf);
}

function disputeOf(row: DisputeRow): DisputeView {
  const { credit_note_id: noteId, credited_nanos: credited } = row;
  return {
    id: row.id,
    jobId: row.job_id,
    customerId: row.customer_id,
    currency: row.currency,
    state: row.state,
    reason: row.reason,
    amount: nanos(row.amount_nanos),
    reverification: row.reverification,
    openedAtMs: row.opened_ms,
    resolvedAtMs: row.resolved_ms,
    resolution: row.resolution,
    credit: noteId === null || credited === null ? null : { id: noteId, amount: nanos(credited) },
  };
}

export interface CreditNoteView {
  readonly id: CreditNoteId;
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly disputeId: DisputeId | null;
  readonly ref: string | null;
  readonly reason: string;
  readonly amount: Nanos;
  readonly currency: Currency;
  /** The prepaid money that it became; null: it was taken off what the customer owes. */
  readonly grantId: GrantId | null;
  readonly atMs: number;
}

interface CreditNoteRow {
  readonly id: CreditNoteId;
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly dispute_id: DisputeId | null;
  readonly ref: string | null;
  readonly reason: string;
  readonly amount_nanos: bigint;
  readonly currency: Currency;
  readonly grant_id: GrantId | null;
  readonly at_ms: number;
}

const CREDIT_NOTES = `
  SELECT n.id, n.job_id, n.customer_id, n.dispute_id, n.ref, n.reason, n.amount_nanos, c.currency, n.grant_id,
         ${msOf("n.at")} AS at_ms
    FROM credit_note n JOIN charge c ON c.job_id = n.job_id`;

/** The credit note; null when there is none by this id. */
export async function findCreditNote(db: Queryable, id: CreditNoteId): Promise<CreditNoteView | null> {
  const { rows } = await db.query<CreditNoteRow>({
    name: "find-credit-note",
    text: `${CREDIT_NOTES} WHERE n.id = $1`,
    values: [id],
  });
  return rows[0] === undefined ? null : creditNoteOf(rows[0]);
}

/** Credit notes from the newest to the oldest, only those before the given one. */
export async function listCreditNotes(
  db: Queryable,
  filter: ListFilter,
  page: { readonly before: CreditNoteId | null; readonly limit: number },
): Promise<readonly CreditNoteView[]> {
  const { rows } = await db.query<CreditNoteRow>({
    text: `${CREDIT_NOTES}
      WHERE ($1::text IS NULL OR n.customer_id = $1) AND ($2::text IS NULL OR n.job_id = $2) AND ($3::text IS NULL OR n.id < $3)
      ORDER BY n.id DESC LIMIT $4`,
    values: [filter.customerId ?? null, filter.jobId ?? null, page.before, page.limit],
  });
  return rows.map(creditNoteOf);
}

function creditNoteOf(row: CreditNoteRow): CreditNoteView {
  return {
    id: row.id,
    jobId: row.job_id,
    customerId: row.customer_id,
    disputeId: row.dispute_id,
    ref: row.ref,
    reason: row.reason,
    amount: nanos(row.amount_nanos),
    currency: row.currency,
    grantId: row.grant_id,
    atMs: row.at_ms,
  };
}
