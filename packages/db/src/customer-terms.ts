/**
 * Customers' terms: versions that never change, each in force from an instant of the customer's own time until a later
 * one is. A job keeps the version that was in force when it was accepted.
 */
import type { CustomerId, CustomerTermsId } from "@contingent/core/ids";
import { canonicalJson, type JsonObject } from "@contingent/core/json";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { batched } from "./batch.ts";
import { decodeCustomerTerms, encodeCustomerTerms } from "./customer-terms-json.ts";
import { newId } from "./ids.ts";
import { msOf } from "./job-row.ts";
import { type Pool, type Queryable, transaction } from "./pool.ts";
import { remembering } from "./remember.ts";

export class UnknownTermsError extends Error {
  override readonly name = "UnknownTermsError";
}

/** Versions of terms kept in memory. */
const KEPT_MAX = 10_000;

const BY_ID = "SELECT id, resolved FROM customer_terms WHERE id = ANY($1::text[])";

/**
 * A reader of terms by their id that remembers what it has read. Reads by primary key, takes no lock.
 * @throws UnknownTermsError when there are no such terms
 */
export function customerTermsById(db: Queryable): (id: CustomerTermsId) => Promise<CustomerTerms> {
  const load = batched<CustomerTermsId, CustomerTerms>({
    run: async (ids) => {
      const found = await read(db, ids);
      return ids.map((id) => found.get(id) ?? unknown(id));
    },
  });
  return remembering(load, KEPT_MAX);
}

/**
 * The same for whoever is in a transaction: it asks on the connection that it has. Waiting for a second one, with locks in
 * hand, everybody could wait for everybody.
 */
export function customerTermsWithin(): (id: CustomerTermsId, client: Queryable) => Promise<CustomerTerms> {
  const kept = new Map<CustomerTermsId, CustomerTerms>();
  return async (id, client) => {
    const terms = kept.get(id) ?? (await read(client, [id])).get(id);
    if (terms === undefined) throw unknown(id);
    const [oldest] = kept.keys();
    if (kept.size >= KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    kept.set(id, terms);
    return terms;
  };
}

async function read(
  db: Queryable,
  ids: readonly CustomerTermsId[],
): Promise<ReadonlyMap<CustomerTermsId, CustomerTerms>> {
  const { rows } = await db.query<{ id: CustomerTermsId; resolved: JsonObject }>({
    name: "customer-terms",
    text: BY_ID,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, decodeCustomerTerms(row.resolved)]));
}

function unknown(id: CustomerTermsId): UnknownTermsError {
  return new UnknownTermsError(`there are no customer terms ${id}`);
}

/** A version of a customer's terms as it was published. */
export interface PublishedTerms {
  readonly id: CustomerTermsId;
  readonly customerId: CustomerId;
  readonly version: number;
  /** As the operator sent it. */
  readonly definition: JsonObject;
  readonly effectiveFromMs: number;
  readonly createdAtMs: number;
}

interface PublishedRow {
  readonly id: CustomerTermsId;
  readonly customer_id: CustomerId;
  readonly version: number;
  readonly definition: JsonObject;
  readonly effective_ms: number;
  readonly created_ms: number;
}

const COLUMNS = `id, customer_id, version, definition, ${msOf("effective_from")} AS effective_ms, ${msOf("created_at")} AS created_ms`;

/**
 * What the customer's clock says, while nobody else publishes for them and no job is accepted. An update reads the clock
 * after it has the row; a locking read does so before. Nothing is different afterwards: terms that are refused leave no trace.
 */
const CLOCK = `
  UPDATE customer_account SET updated_at = updated_at WHERE customer_id = $1
  RETURNING ${msOf("date_trunc('milliseconds', clock_timestamp() + clock_offset)")} AS now_ms`;

const LATEST = `SELECT ${COLUMNS} FROM customer_terms WHERE customer_id = $1 ORDER BY version DESC LIMIT 1`;

const PUBLISH = `
  INSERT INTO customer_terms (id, customer_id, version, effective_from, definition, resolved)
  VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000), $5, $6) RETURNING ${COLUMNS}`;

export type Publishing =
  | { readonly kind: "published"; readonly terms: PublishedTerms; readonly isNew: boolean }
  | { readonly kind: "no_customer" }
  /** Terms cannot come into force in the past: jobs were accepted there under others. */
  | { readonly kind: "too_late"; readonly nowMs: number };

/**
 * Publishes a version of a customer's terms, in force from the given instant of their time, or from now. The same
 * definition as the latest one, without a later instant, makes no new version.
 * Locks the customer's account, so that versions are numbered one after the other.
 */
export async function publishTerms(
  pool: Pool,
  customerId: CustomerId,
  asked: { readonly definition: JsonObject; readonly terms: CustomerTerms; readonly effectiveFromMs: number | null },
): Promise<Publishing> {
  const { definition, terms, effectiveFromMs } = asked;
  return await transaction(pool, async (client) => {
    const clock = await client.query<{ now_ms: number }>({ text: CLOCK, values: [customerId] });
    const nowMs = clock.rows[0]?.now_ms;
    if (nowMs === undefined) return { kind: "no_customer" };
    const latest = (await client.query<PublishedRow>({ text: LATEST, values: [customerId] })).rows[0];
    const text = JSON.stringify(definition);
    if (latest !== undefined && canonicalJson(latest.definition) === canonicalJson(definition)) {
      return { kind: "published", terms: publishedOf(latest), isNew: false };
    }
    if (effectiveFromMs !== null && effectiveFromMs < nowMs) return { kind: "too_late", nowMs };
    const version = (latest?.version ?? 0) + 1;
    const resolved = JSON.stringify(encodeCustomerTerms(terms));
    const { rows } = await client.query<PublishedRow>({
      text: PUBLISH,
      values: [newId("trm"), customerId, version, effectiveFromMs ?? nowMs, text, resolved],
    });
    const [row] = rows;
    if (row === undefined) throw new Error(`the terms of ${customerId} were not stored`);
    return { kind: "published", terms: publishedOf(row), isNew: true };
  });
}

/** The versions of a customer's terms, newest first; those before the given number. */
export async function termsVersions(
  db: Queryable,
  customerId: CustomerId,
  page: { readonly before: number | null; readonly limit: number },
): Promise<readonly PublishedTerms[]> {
  const { rows } = await db.query<PublishedRow>({
    text: `SELECT ${COLUMNS} FROM customer_terms
            WHERE customer_id = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3`,
    values: [customerId, page.before, page.limit],
  });
  return rows.map(publishedOf);
}

function publishedOf(row: PublishedRow): PublishedTerms {
  const { id, customer_id: customerId, version, definition } = row;
  return { id, customerId, version, definition, effectiveFromMs: row.effective_ms, createdAtMs: row.created_ms };
}
