/** What a request that could not be accepted has run into: an earlier one with its Idempotency-Key, or a job for the same outcome. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { canonicalJson, type Json, type JsonObject } from "@contingent/core/json";
import { batched } from "./batch.ts";
import { hashOfPayload } from "./payloads/marker.ts";
import { placeOfAnswer } from "./payloads/new-job.ts";
import type { Payloads } from "./payloads/payloads.ts";
import type { Pool } from "./pool.ts";
import { seenBy, type Tenants } from "./tenants.ts";

export interface Asked {
  readonly customerId: CustomerId;
  readonly outcomeType: string;
  readonly outcomeKey: string | null;
  readonly idempotencyKey: string | null;
  readonly input: Json;
}

/** An earlier request with the same Idempotency-Key. */
export interface EarlierRequest {
  readonly jobId: JobId;
  readonly fingerprint: string;
  /** Whether it named an outcome that had been bought before. */
  readonly existing: boolean;
  /** Null while it is being served. */
  readonly answer: { readonly status: number; readonly body: JsonObject } | null;
  /** Whether the process that serves it has shown signs of life lately. */
  readonly alive: boolean;
}

export interface Found {
  readonly request: EarlierRequest | null;
  /** The job with the same outcome_key, and whether it was asked for with the same input. */
  readonly job: { readonly id: JobId; readonly sameInput: boolean } | null;
}

export type FindAccepted = (asked: Asked) => Promise<Found>;

// By the primary key of idempotency and the unique index job_outcome_key; takes no lock.
const FIND = `
  SELECT r.n, i.job_id, i.fingerprint, i.existing, i.status, i.body, coalesce(i.in_flight_until > now(), false) AS alive,
         j.id AS existing_id, t.input::jsonb = r.input AS same_input,
         CASE WHEN t.input -> '$payload' IS NOT NULL THEN t.input END AS marked_input
    FROM jsonb_to_recordset($1::jsonb) AS r (
           n int, customer_id text, outcome_type text, outcome_key text, key text, input jsonb)
    LEFT JOIN idempotency i ON i.customer_id = r.customer_id AND i.key = r.key
    LEFT JOIN LATERAL (
      SELECT id FROM job
       WHERE (customer_id, outcome_type, outcome_key) = (r.customer_id, r.outcome_type, r.outcome_key) OFFSET 0) j ON true
    LEFT JOIN job_input t ON t.job_id = j.id`;

interface FoundRow {
  readonly n: number;
  readonly job_id: JobId | null;
  readonly fingerprint: string;
  readonly existing: boolean;
  readonly status: number | null;
  readonly body: JsonObject | null;
  readonly alive: boolean;
  readonly existing_id: JobId | null;
  readonly same_input: boolean;
  /** The input of the job where it is not stored as it is: then the database cannot compare it. */
  readonly marked_input: Json;
}

const ITEMS_MAX = 64;

export function openFindAccepted(pool: Pool | Tenants, payloads: Payloads): FindAccepted {
  return batched<Asked, Found>({
    itemsMax: ITEMS_MAX,
    run: async (asked) => {
      const values = [JSON.stringify(asked.map(rowOf))];
      const ofThem = seenBy(
        pool,
        asked.map(({ customerId }) => customerId),
      );
      const { rows } = await ofThem.query<FoundRow>({ name: "find-accepted", text: FIND, values });
      const byNumber = new Map(rows.map((row) => [row.n, row]));
      return await Promise.all(asked.map((each, n) => foundIn(payloads, each, byNumber.get(n))));
    },
  });
}

function rowOf(asked: Asked, n: number): JsonObject {
  const { customerId, outcomeType, outcomeKey, idempotencyKey, input } = asked;
  return {
    n,
    customer_id: customerId,
    outcome_type: outcomeType,
    outcome_key: outcomeKey,
    key: idempotencyKey,
    input,
  };
}

async function foundIn(payloads: Payloads, asked: Asked, row: FoundRow | undefined): Promise<Found> {
  if (row === undefined) return { request: null, job: null };
  const { job_id: jobId, fingerprint, existing, status, alive } = row;
  const place = placeOfAnswer(asked.customerId, asked.idempotencyKey ?? "");
  const found = row.body === null ? null : await payloads.look(place, row.body);
  // Dropped: it is answered anew as soon as the row says so, too.
  const body = found?.kind === "kept" ? (found.value as JsonObject) : null;
  const answer = status === null || body === null ? null : { status, body };
  const sameInput = row.marked_input === null ? row.same_input : await isSameInput(payloads, asked.input, row);
  return {
    request: jobId === null ? null : { jobId, fingerprint, existing, answer, alive },
    job: row.existing_id === null ? null : { id: row.existing_id, sameInput },
  };
}

/** Of an input that nobody can read any more it cannot be said: who asks for another outcome should name another. */
async function isSameInput(payloads: Payloads, asked: Json, row: FoundRow): Promise<boolean> {
  const found = await payloads.look(`input ${row.existing_id ?? ""}`, row.marked_input);
  if (found.kind === "kept") return canonicalJson(found.value) === canonicalJson(asked);
  return found.sha256 === hashOfPayload(asked);
}
