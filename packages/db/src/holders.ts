/**
 * Processes that hold jobs: while they are attempted, and while somebody is asked about an answer. Each says every few
 * seconds that it is there; the jobs of one that has not been seen for a while become due, however long it might have taken.
 */
import type { InquiryId } from "@contingent/core/ids";
import type { Pool } from "./pool.ts";

/** Says that the process is there, by the database's clock. */
export async function showHolder(pool: Pool, id: string): Promise<void> {
  await pool.query({
    name: "show-holder",
    text: "INSERT INTO holder (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp()",
    values: [id],
  });
}

/** Forgets a process that has ended in order. */
export async function forgetHolder(pool: Pool, id: string): Promise<void> {
  await pool.query({ name: "forget-holder", text: "DELETE FROM holder WHERE id = $1", values: [id] });
}

/**
 * The process does not wait for the reply to this inquiry any more: it comes by itself. One that is over stays as it was.
 */
export async function letGoOf(pool: Pool, inquiry: InquiryId): Promise<void> {
  await pool.query({
    name: "let-go-of-inquiry",
    text: "UPDATE inquiry SET holder = NULL WHERE id = $1 AND outcome IS NULL",
    values: [inquiry],
  });
}

/** A row of a process that died is kept this long after it has lost everything, for what it may yet begin. */
const FORGOTTEN_AFTER_MS = 3_600_000;

/**
 * Changes nothing of a job but when it is looked at: whoever takes an attempt away, or ends an inquiry, decides so by the job
 * as it stands then, under the job's fence. Passes over rows that somebody is changing just now, so that it waits for nobody;
 * the next round finds them. Indexes: `attempt_held` and `inquiry_held`, which know those under way only.
 */
const WAKE_ORPHANS = `
  WITH forgotten AS (
    DELETE FROM holder h
     WHERE h.seen_at < now() - $2::float8 * interval '1 millisecond'
       AND NOT EXISTS (SELECT FROM attempt a WHERE a.holder = h.id AND a.cost_state = 'held')
       AND NOT EXISTS (SELECT FROM inquiry q WHERE q.holder = h.id AND q.outcome IS NULL)
  )
  UPDATE job j SET wake_at = now(), ready_at = CASE j.state WHEN 'validating' THEN now() ELSE j.ready_at END
    FROM (SELECT held.id, h.id AS holder
            FROM holder h
           CROSS JOIN LATERAL (
             SELECT job_id, id FROM attempt WHERE holder = h.id AND cost_state = 'held'
              UNION ALL
             SELECT job_id, id FROM inquiry WHERE holder = h.id AND outcome IS NULL OFFSET 0) a
            JOIN job held ON held.id = a.job_id
           WHERE h.seen_at < now() - $1::float8 * interval '1 millisecond'
             AND held.wake_at > now()
             AND (held.state = 'attempting'
                  -- Once: from then on it waits for a validator like any other.
                  OR held.state = 'validating' AND held.ready_at > now() AND held.progress -> 'inquiry' ->> 'inquiryId' = a.id)
             FOR UPDATE OF held SKIP LOCKED) orphan
   WHERE j.id = orphan.id
  RETURNING orphan.holder`;

/** Makes the jobs due whose holder has not been seen for this long. @returns how many, by holder */
export async function wakeOrphans(pool: Pool, unseenMs: number): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ holder: string }>({
    name: "wake-orphans",
    text: WAKE_ORPHANS,
    values: [unseenMs, FORGOTTEN_AFTER_MS],
  });
  const jobs = new Map<string, number>();
  for (const { holder } of rows) jobs.set(holder, (jobs.get(holder) ?? 0) + 1);
  return jobs;
}
