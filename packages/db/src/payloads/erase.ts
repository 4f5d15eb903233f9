/** For how long a customer's texts are kept, and the end of all of them. Locks the customer's account. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { msOf } from "../job-row.ts";
import { type Pool, type Queryable, transaction } from "../pool.ts";

/** False: there is no such customer. */
export async function changeRetention(db: Queryable, customerId: CustomerId, days: number | null): Promise<boolean> {
  const { rowCount } = await db.query({
    text: "UPDATE customer_account SET payload_retention_days = $2, updated_at = now() WHERE customer_id = $1",
    values: [customerId, days],
  });
  return rowCount === 1;
}

export type Erased =
  | { readonly kind: "erased"; readonly keys: number; readonly untilMs: number }
  | { readonly kind: "no_customer" }
  | { readonly kind: "jobs_open"; readonly jobId: JobId };

// Under the account's lock no job is accepted.
const LOCK = "SELECT FROM customer_account WHERE customer_id = $1 FOR NO KEY UPDATE";
// A job is open as long as its hold is, and of holds there is an index of the open ones. Without the offset the newest holds
// of all are read, one after the other, until an open one is found.
const OPEN = `
  SELECT job_id FROM (SELECT job_id FROM hold WHERE customer_id = $1 AND state = 'open' OFFSET 0) o ORDER BY job_id DESC LIMIT 1`;
const ERASE_KEYS = `
  UPDATE payload_key SET wrapped = NULL, erased_at = clock_timestamp() WHERE customer_id = $1 AND wrapped IS NOT NULL`;
const ERASE_TEXTS = `
  UPDATE customer_account SET payloads_erased_until = clock_timestamp() + clock_offset, updated_at = now()
   WHERE customer_id = $1 RETURNING ${msOf("payloads_erased_until")} AS until_ms`;

/** Destroys the customer's key, and has the texts dropped that are not sealed. Only where no job is open. */
export async function erasePayloads(pool: Pool, customerId: CustomerId): Promise<Erased> {
  return await transaction(pool, async (client): Promise<Erased> => {
    const locked = await client.query({ text: LOCK, values: [customerId] });
    if (locked.rowCount === 0) return { kind: "no_customer" };
    const [open] = (await client.query<{ job_id: JobId }>({ text: OPEN, values: [customerId] })).rows;
    if (open !== undefined) return { kind: "jobs_open", jobId: open.job_id };
    const { rowCount: keys } = await client.query({ text: ERASE_KEYS, values: [customerId] });
    const { rows } = await client.query<{ until_ms: number }>({ text: ERASE_TEXTS, values: [customerId] });
    return { kind: "erased", keys: keys ?? 0, untilMs: rows[0]?.until_ms ?? 0 };
  });
}
