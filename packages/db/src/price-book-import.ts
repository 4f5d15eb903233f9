/** Imports of rates, and the pages on which operators read what was imported. */
import { type Rate, rateAt } from "@contingent/core/cost";
import type { KeyId, PriceImportId } from "@contingent/core/ids";
import { additionsTo } from "@contingent/core/price-book";
import { newId } from "./ids.ts";
import { msOf } from "./job-row.ts";
import { type ImportedRate, importedRateOf, RATE_COLUMNS, rateRow, type RateRow } from "./price-book-rows.ts";
import { type Pool, type Queryable, transaction } from "./pool.ts";

export interface RateImport {
  /** Where the operator has the prices from. */
  readonly source: string;
  readonly importedBy: KeyId;
  /** One for each model and first instant, without an end. */
  readonly rates: readonly Rate[];
  /** The rates of the program, which come before all imported ones. */
  readonly shipped: readonly Rate[];
  /** Whether rates may be added whose first instant has passed: they count for what is called from now on. */
  readonly mayBeginInThePast: boolean;
}

export type Imported =
  | { readonly kind: "imported"; readonly added: readonly ImportedRate[] }
  /** These would be added and have begun in the past; nothing was imported. */
  | { readonly kind: "begun"; readonly rates: readonly Rate[]; readonly nowMs: number };

/** A first instant is not in the past while the clocks of two machines may differ by that much. */
export const CLOCK_TOLERANCE_MS = 60_000;
/** Whoever imports holds this lock: rates are numbered in the order in which they become visible. */
const ADVISORY_LOCK = 5_391_006;

const CLOCK = `SELECT ${msOf("clock_timestamp()")} AS now_ms`;

// The book's latest word on each model and first instant in question: what an import is compared with.
const KNOWN = `
  SELECT DISTINCT ON (r.model, r.effective_from) ${RATE_COLUMNS}
    FROM price_book_rate r JOIN price_book_import i ON i.id = r.import_id
   WHERE r.model = ANY($1::text[]) ORDER BY r.model, r.effective_from DESC, r.seq DESC`;

const INSERT_IMPORT = "INSERT INTO price_book_import (id, source, imported_by) VALUES ($1, $2, $3)";

const INSERT_RATES = `
  WITH r AS (
    INSERT INTO price_book_rate (import_id, model, provider, effective_from, bands, fast)
    SELECT $1, model, provider, to_timestamp(from_ms / 1000), bands, fast
      FROM jsonb_to_recordset($2::jsonb) AS t (model text, provider text, from_ms float8, bands jsonb, fast jsonb)
    RETURNING *)
  SELECT ${RATE_COLUMNS} FROM r JOIN price_book_import i ON i.id = r.import_id ORDER BY r.seq`;

/** Adds what the book does not say yet. Safe to repeat: nothing is added the second time. */
export async function importRates(pool: Pool, wanted: RateImport): Promise<Imported> {
  return await transaction(pool, async (client) => {
    await client.query({ text: "SELECT pg_advisory_xact_lock($1)", values: [ADVISORY_LOCK] });
    const models = wanted.rates.map(({ model }) => model);
    const known = await client.query<RateRow>({ text: KNOWN, values: [models] });
    const book = [...wanted.shipped, ...known.rows.map((row) => importedRateOf(row).rate)];
    const rates = additionsTo(book, wanted.rates);
    if (rates.length === 0) return { kind: "imported", added: [] };
    const nowMs = await clockOf(client);
    const begun = rates.filter(({ fromMs }) => fromMs < nowMs - CLOCK_TOLERANCE_MS);
    if (begun.length > 0 && !wanted.mayBeginInThePast) return { kind: "begun", rates: begun, nowMs };
    const id: PriceImportId = newId("imp");
    await client.query({ text: INSERT_IMPORT, values: [id, wanted.source, wanted.importedBy] });
    const values = [id, JSON.stringify(rates.map(rateRow))];
    const added = await client.query<RateRow>({ text: INSERT_RATES, values });
    return { kind: "imported", added: added.rows.map(importedRateOf) };
  });
}

async function clockOf(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ now_ms: number }>({ text: CLOCK });
  const [row] = rows;
  if (row === undefined) throw new Error("the database has no clock");
  return row.now_ms;
}

const LIST = `
  SELECT ${RATE_COLUMNS} FROM price_book_rate r JOIN price_book_import i ON i.id = r.import_id
   WHERE ($1::text IS NULL OR r.model = $1) AND ($2::bigint IS NULL OR r.seq < $2)
   ORDER BY r.seq DESC LIMIT $3`;

/** Imported rates, newest first; those with a number below the given one. */
export async function listImportedRates(
  db: Queryable,
  page: { readonly model: string | undefined; readonly before: bigint | null; readonly limit: number },
): Promise<readonly ImportedRate[]> {
  const values = [page.model ?? null, page.before, page.limit];
  const { rows } = await db.query<RateRow>({ text: LIST, values });
  return rows.map(importedRateOf);
}

// Of what was known by then, each model's latest beginning. A rate that was imported later never counted at that instant.
const BEGUN = `
  SELECT DISTINCT ON (r.model) ${RATE_COLUMNS}
    FROM price_book_rate r JOIN price_book_import i ON i.id = r.import_id
   WHERE ($1::text IS NULL OR r.model = $1)
     AND r.effective_from <= to_timestamp($2::float8 / 1000) AND i.imported_at <= to_timestamp($2::float8 / 1000)
   ORDER BY r.model, r.effective_from DESC, r.seq DESC`;

/** A rate that counts at an instant, and where it is from: null for one that the program shipped with. */
export interface RateInForce {
  readonly rate: Rate;
  readonly imported: ImportedRate | null;
}

/** The rates that count at an instant, by model: what a call at that time was, or as things stand will be, booked at. */
export async function ratesInForce(
  db: Queryable,
  shipped: readonly Rate[],
  asked: { readonly model: string | undefined; readonly atMs: number },
): Promise<readonly RateInForce[]> {
  const { rows } = await db.query<RateRow>({ text: BEGUN, values: [asked.model ?? null, asked.atMs] });
  const imported = new Map(rows.map((row) => importedRateOf(row)).map((entry) => [entry.rate, entry]));
  const book = [...shipped, ...imported.keys()];
  const models = [...new Set(book.map(({ model }) => model))].filter(
    (model) => asked.model === undefined || model === asked.model,
  );
  return models.toSorted().flatMap((model) => {
    const rate = rateAt(book, model, asked.atMs);
    return rate === null ? [] : [{ rate, imported: imported.get(rate) ?? null }];
  });
}
