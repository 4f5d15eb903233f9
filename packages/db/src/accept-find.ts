/** What a request that could not be accepted has run into: an earlier one with its Idempotency-Key, or a job for the same outcome. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import type { Json, JsonObject } from "@contingent/core/json";
import { batched } from "./batch.ts";
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
         j.id AS existing_id, t.input::jsonb = r.input AS same_input
    FROM jsonb_to_recordset($1::jsonb) AS r (
           n int, customer_id text, outcome_type text, outcome_key text, key text, input jsonb)
    LEFT JOIN idempotency i ON i.customer_id = r.customer_id AND i.key = r.key
    LEFT JOIN job j ON j.customer_id = r.customer_id AND j.outcome_type = r.outcome_type AND j.outcome_key = r.outcome_key
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
}

const ITEMS_MAX = 64;

export function openFindAccepted(pool: Pool | Tenants): FindAccepted {
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
      return asked.map((_, n) => foundIn(byNumber.get(n)));
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

function foundIn(row: FoundRow | undefined): Found {
  if (row === undefined) return { request: null, job: null };
  const { job_id: jobId, fingerprint, existing, status, body, alive } = row;
  const answer = status === null || body === null ? null : { status, body };
  return {
    request: jobId === null ? null : { jobId, fingerprint, existing, answer, alive },
    job: row.existing_id === null ? null : { id: row.existing_id, sameInput: row.same_input },
  };
}
