/**
 * A provider's invoice against the books: the comparison is kept as it was at the time of the upload, and the drift that it
 * found is booked, less what earlier uploads for the same period have booked.
 */
import {
  type BookedCost,
  compare,
  invoiceDrift,
  type InvoicedCost,
  type Period,
  type ReconciledLine,
  saysTheSame,
  totalsOf,
} from "@contingent/core/books/reconciliation";
import type { KeyId, ReconciliationId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { type Currency, nanos, subtract, sum } from "@contingent/core/money";
import { transactionRow } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { type Pool, type Queryable, readWholeTables, transaction } from "@contingent/db/pool";
import { linesOf } from "./reconciliations.ts";

export interface Upload {
  readonly period: Period;
  /** A model and day once at most, and within the period. */
  readonly lines: readonly InvoicedCost[];
  readonly currency: Currency;
  readonly uploadedBy: KeyId;
}

export type Reconciled =
  /** `isNew`: false when the upload before said the same and the books do too: nothing was written. */
  | { readonly kind: "reconciled"; readonly id: ReconciliationId; readonly isNew: boolean }
  | { readonly kind: "overlaps"; readonly period: Period };

/** A month of a busy deployment is read in seconds; it is not on the path of any job. */
const STATEMENT_TIMEOUT_MS = 300_000;

// Uploads of one provider are made one after the other.
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('reconcile ' || $1, 0))";

const OVERLAPPING = `
  SELECT provider, from_day::text AS from, until_day::text AS until FROM reconciled_period
   WHERE provider = $1 AND daterange(from_day, until_day) && daterange($2::date, $3::date)
     AND (from_day, until_day) <> ($2::date, $3::date)
   ORDER BY from_day LIMIT 1`;

const EARLIER = `
  SELECT id, number, posted_nanos FROM reconciliation
   WHERE (provider, from_day, until_day) = ($1, $2::date, $3::date) ORDER BY number`;

// By the day on which a cost was booked. A correction counts on its own day, as the provider's own credits do.
const BOOKED = `
  SELECT substr(p.account_of, length($1) + 2) AS model, (t.dated_at AT TIME ZONE 'UTC')::date::text AS day,
         sum(p.amount_nanos)::bigint AS amount,
         coalesce(sum(p.amount_nanos) FILTER (WHERE 'presumed' IN (a.cost_state, q.cost_state)), 0)::bigint AS estimated
    FROM ledger_transaction t
    JOIN posting p ON p.transaction_id = t.id AND p.account_class = 'cogs' AND starts_with(p.account_of, $1 || ':')
    LEFT JOIN attempt a ON a.id = split_part(t.key, ':', 2) AND split_part(t.key, ':', 3) = 'estimated'
    LEFT JOIN inquiry q ON q.id = split_part(t.key, ':', 2) AND split_part(t.key, ':', 3) = 'estimated'
   WHERE t.kind = 'cost' AND t.dated_at >= $2::timestamp AT TIME ZONE 'UTC' AND t.dated_at < $3::timestamp AT TIME ZONE 'UTC'
   GROUP BY 1, 2`;

const REMEMBER_PERIOD = `
  INSERT INTO reconciled_period (provider, from_day, until_day) VALUES ($1, $2::date, $3::date)
  ON CONFLICT (provider, from_day, until_day) DO NOTHING`;

const REMEMBER = `
  INSERT INTO reconciliation (
    id, provider, from_day, until_day, number, invoiced_nanos, booked_nanos, posted_nanos, uploaded_by)
  VALUES ($1, $2, $3::date, $4::date, $5, $6, $7, $8, $9)`;

const REMEMBER_LINES = `
  INSERT INTO reconciliation_line (reconciliation_id, model, day, invoiced_nanos, booked_nanos, estimated_nanos)
  SELECT $1, model, day, invoiced, booked, estimated
    FROM jsonb_to_recordset($2::jsonb) AS t (model text, day date, invoiced bigint, booked bigint, estimated bigint)`;

const BOOK = "SELECT book($1::jsonb)";

interface EarlierRow {
  readonly id: ReconciliationId;
  readonly number: number;
  readonly posted_nanos: bigint;
}

/** Compares an invoice with the books and books the drift. Safe to repeat: the same upload changes nothing. */
export async function reconcile(pool: Pool, upload: Upload): Promise<Reconciled> {
  const { period, lines: invoiced } = upload;
  const { provider, from, until } = period;
  return await transaction(pool, async (connection) => {
    const client = await readWholeTables(connection, STATEMENT_TIMEOUT_MS);
    await client.query({ text: LOCK, values: [provider] });
    const overlapping = await client.query<Period>({ text: OVERLAPPING, values: [provider, from, until] });
    const [other] = overlapping.rows;
    if (other !== undefined) return { kind: "overlaps", period: other };
    const earlier = await client.query<EarlierRow>({ text: EARLIER, values: [provider, from, until] });
    const lines = compare(invoiced, await bookedFor(client, period));
    const last = earlier.rows.at(-1);
    if (last !== undefined && saysTheSame(await linesOf(client, last.id), lines)) {
      return { kind: "reconciled", id: last.id, isNew: false };
    }
    return { kind: "reconciled", id: await write(client, upload, lines, earlier.rows), isNew: true };
  });
}

async function bookedFor(client: Queryable, { provider, from, until }: Period): Promise<readonly BookedCost[]> {
  const { rows } = await client.query<{ model: string; day: string; amount: bigint; estimated: bigint }>({
    text: BOOKED,
    values: [provider, from, until],
  });
  return rows.map((row) => ({ ...row, amount: nanos(row.amount), estimated: nanos(row.estimated) }));
}

async function write(
  client: Queryable,
  { period, currency, uploadedBy }: Upload,
  lines: readonly ReconciledLine[],
  earlier: readonly EarlierRow[],
): Promise<ReconciliationId> {
  const { provider, from, until } = period;
  const id = newId("rcn");
  const number = (earlier.at(-1)?.number ?? 0) + 1;
  const { invoiced, booked, drift } = totalsOf(lines);
  const posted = subtract(drift, sum(earlier.map((row) => nanos(row.posted_nanos))));
  await client.query({ text: REMEMBER_PERIOD, values: [provider, from, until] });
  await client.query({
    text: REMEMBER,
    values: [id, provider, from, until, number, invoiced, booked, posted, uploadedBy],
  });
  await client.query({ text: REMEMBER_LINES, values: [id, JSON.stringify(lines.map(lineRow))] });
  if (posted !== 0n) {
    const entry = invoiceDrift({ provider, period: `${from}:${until}`, number, amount: posted });
    await client.query({ text: BOOK, values: [JSON.stringify([transactionRow(entry, currency)])] });
  }
  return id;
}

function lineRow({ model, day, invoiced, booked, estimated }: ReconciledLine): JsonObject {
  return {
    model,
    day,
    invoiced: invoiced?.toString() ?? null,
    booked: booked?.toString() ?? null,
    estimated: estimated.toString(),
  };
}
