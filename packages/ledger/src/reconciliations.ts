/** What reconciliations have found, for people. Reads by primary key, takes no lock. */
import type { Period, ReconciledLine } from "@contingent/core/books/reconciliation";
import type { ReconciliationId } from "@contingent/core/ids";
import { type Nanos, nanos } from "@contingent/core/money";
import { msOf } from "@contingent/db/job-row";
import type { Queryable } from "@contingent/db/pool";

export interface ReconciliationView {
  readonly id: ReconciliationId;
  readonly period: Period;
  /** Counts the uploads for the period. */
  readonly number: number;
  readonly invoiced: Nanos;
  readonly booked: Nanos;
  /** What this upload booked, beside what earlier ones for the period had booked. */
  readonly posted: Nanos;
  readonly uploadedAtMs: number;
}

interface ReconciliationRow {
  readonly id: ReconciliationId;
  readonly provider: string;
  readonly from_day: string;
  readonly until_day: string;
  readonly number: number;
  readonly invoiced_nanos: bigint;
  readonly booked_nanos: bigint;
  readonly posted_nanos: bigint;
  readonly uploaded_ms: number;
}

const COLUMNS = `
  id, provider, from_day::text, until_day::text, number, invoiced_nanos, booked_nanos, posted_nanos,
  ${msOf("uploaded_at")} AS uploaded_ms`;

const FIND = `SELECT ${COLUMNS} FROM reconciliation WHERE id = $1`;

const LIST = `
  SELECT ${COLUMNS} FROM reconciliation
   WHERE ($1::text IS NULL OR provider = $1) AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`;

const LINES = `
  SELECT model, day::text, invoiced_nanos, booked_nanos, estimated_nanos FROM reconciliation_line
   WHERE reconciliation_id = $1 ORDER BY model COLLATE "C", day`;

/** One reconciliation with its lines; null when there is none by this id. */
export async function findReconciliation(
  db: Queryable,
  id: ReconciliationId,
): Promise<(ReconciliationView & { readonly lines: readonly ReconciledLine[] }) | null> {
  const { rows } = await db.query<ReconciliationRow>({ text: FIND, values: [id] });
  const [row] = rows;
  return row === undefined ? null : { ...viewOf(row), lines: await linesOf(db, id) };
}

/** Reconciliations, newest first; those before the given one. */
export async function listReconciliations(
  db: Queryable,
  page: { readonly provider: string | undefined; readonly before: ReconciliationId | null; readonly limit: number },
): Promise<readonly ReconciliationView[]> {
  const values = [page.provider ?? null, page.before, page.limit];
  const { rows } = await db.query<ReconciliationRow>({ text: LIST, values });
  return rows.map(viewOf);
}

/** The lines of a reconciliation, by model and day. */
export async function linesOf(db: Queryable, id: ReconciliationId): Promise<readonly ReconciledLine[]> {
  const { rows } = await db.query<{
    model: string;
    day: string;
    invoiced_nanos: bigint | null;
    booked_nanos: bigint | null;
    estimated_nanos: bigint;
  }>({ text: LINES, values: [id] });
  return rows.map(({ model, day, invoiced_nanos: invoiced, booked_nanos: booked, estimated_nanos: estimated }) => ({
    model,
    day,
    invoiced: invoiced === null ? null : nanos(invoiced),
    booked: booked === null ? null : nanos(booked),
    estimated: nanos(estimated),
  }));
}

function viewOf(row: ReconciliationRow): ReconciliationView {
  return {
    id: row.id,
    period: { provider: row.provider, from: row.from_day, until: row.until_day },
    number: row.number,
    invoiced: nanos(row.invoiced_nanos),
    booked: nanos(row.booked_nanos),
    posted: nanos(row.posted_nanos),
    uploadedAtMs: row.uploaded_ms,
  };
}
