/**
 * The rest of an idempotent request's life. Its row is made together with its job (accept.ts); here a request that waits
 * for a result is kept alive and answered, and one whose process died is taken over.
 */
import type { CustomerId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { IN_FLIGHT_LEASE_MS } from "./accept.ts";
import { placeOfAnswer } from "./payloads/new-job.ts";
import type { Payloads } from "./payloads/payloads.ts";
import type { Pool, Queryable } from "./pool.ts";
import { seenBy, type Tenants } from "./tenants.ts";

export interface RequestKey {
  readonly customerId: CustomerId;
  readonly key: string;
}

export interface StoredAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** Stores the answer, unless one is stored already. */
export async function finishAnswer(
  db: Queryable,
  request: RequestKey,
  answer: StoredAnswer,
  payloads: Payloads,
): Promise<void> {
  await db.query({
    name: "finish-answer",
    text: `UPDATE idempotency SET status = $3, body = $4, in_flight_until = NULL
            WHERE customer_id = $1 AND key = $2 AND status IS NULL`,
    values: [request.customerId, request.key, answer.status, await storedBody(payloads, request, answer)],
  });
}

/** Stores the answer to a request for an outcome that had been bought before. False: the key has just been used. */
export async function recordExisting(
  db: Queryable,
  request: RequestKey & { readonly fingerprint: string; readonly jobId: JobId },
  answer: StoredAnswer,
  payloads: Payloads,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "record-existing",
    text: `INSERT INTO idempotency (customer_id, key, fingerprint, job_id, existing, status, body)
           VALUES ($1, $2, $3, $4, true, $5, $6) ON CONFLICT DO NOTHING`,
    values: [
      request.customerId,
      request.key,
      request.fingerprint,
      request.jobId,
      answer.status,
      await storedBody(payloads, request, answer),
    ],
  });
  return rowCount === 1;
}

async function storedBody(
  payloads: Payloads,
  { customerId, key }: RequestKey,
  { body }: StoredAnswer,
): Promise<string> {
  const { json } = await payloads.sealer(customerId);
  return JSON.stringify(json(placeOfAnswer(customerId, key), body));
}

/** Takes over a request that nobody serves any more. False: somebody else was quicker, or it has been answered. */
export async function takeOver(db: Queryable, request: RequestKey): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "take-over-request",
    text: `UPDATE idempotency SET in_flight_until = now() + $3::float8 * interval '1 millisecond'
            WHERE customer_id = $1 AND key = $2 AND status IS NULL AND in_flight_until <= now()`,
    values: [request.customerId, request.key, IN_FLIGHT_LEASE_MS],
  });
  return rowCount === 1;
}

/** The sign of life of all requests that this process serves, in one statement. */
export async function keepAlive(pool: Pool | Tenants, requests: readonly RequestKey[]): Promise<void> {
  if (requests.length === 0) return;
  const customers = requests.map(({ customerId }) => customerId);
  await seenBy(pool, customers).query({
    name: "keep-requests-alive",
    text: `UPDATE idempotency i SET in_flight_until = now() + $3::float8 * interval '1 millisecond'
             FROM unnest($1::text[], $2::text[]) AS r (customer_id, key)
            WHERE i.customer_id = r.customer_id AND i.key = r.key AND i.status IS NULL`,
    values: [customers, requests.map((r) => r.key), IN_FLIGHT_LEASE_MS],
  });
}

const FORGET = `
  WITH due AS MATERIALIZED (
    SELECT customer_id, key FROM idempotency
     WHERE created_at < now() - $1::float8 * interval '1 day' AND (status IS NOT NULL OR in_flight_until < now())
     ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  DELETE FROM idempotency i USING due WHERE i.customer_id = due.customer_id AND i.key = due.key`;

/**
 * Forgets requests that were made so long ago: who repeats one then gets a new job, unless its outcome_key stands in the
 * way. One that is being served stays. Index: `idempotency_by_age`. Skips what somebody else forgets just now.
 * @returns how many
 */
export async function forgetRequests(db: Queryable, afterDays: number, limit: number): Promise<number> {
  const { rowCount } = await db.query({ name: "forget-requests", text: FORGET, values: [afterDays, limit] });
  return rowCount ?? 0;
}
