/**
 * The slow path's queries: open jobs whose time has come, and all that wait for a message. Both are found by a partial
 * index that knows no closed job.
 */
import type { Job } from "@contingent/core/job/job";
import { jobColumns, type JobRow, jobOf, msOf } from "./job-row.ts";
import type { OutcomeTypeVersions } from "./outcome-types.ts";
import type { Pool } from "./pool.ts";

/** An open job as the slow path looks at it. */
export interface DueJob {
  readonly job: Job;
  readonly version: { readonly currency: "USD" };
  readonly traceparent: string | null;
  readonly nowMs: number;
}

/** The first wake-up after a lost message comes this late, and each further one waits twice as long as the one before. */
const WAKE_AGAIN_MS = 15_000;
const WAKE_AGAIN_MAX_MS = 300_000;

/**
 * Claims due jobs for one sweeper: pushes their next wake-up back, so that a second sweeper, or the next round, does not
 * take them again at once. Times are by the customer's clock: the index is searched by the clock that is furthest ahead,
 * which outside tests is the real one. It is no transition: the revision stays, and a message for it stays valid. Skips rows that
 * somebody is changing just now, for those are alive. A deadline is never slept through.
 */
const TAKE_DUE = `
  UPDATE job j
     SET wakes = j.wakes + 1,
         wake_at = least(
           due.now + least($2::float8 * 2 ^ least(j.wakes, 10), $3::float8) * interval '1 millisecond',
           CASE WHEN j.deadline_at > due.now THEN j.deadline_at ELSE 'infinity' END)
    FROM (SELECT d.id, d.wake_at, a.clock_offset, now() + a.clock_offset AS now
            FROM job d
           -- Looked up for each job by its index: as a plain join it was planned the other way round, from all accounts.
           CROSS JOIN LATERAL (SELECT clock_offset FROM customer_account WHERE customer_id = d.customer_id OFFSET 0) a
           WHERE d.state <> 'closed' AND d.wake_at <= now() + (SELECT clock_offset_max()) AND d.wake_at <= now() + a.clock_offset
           ORDER BY d.wake_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED) due
   WHERE j.id = due.id
  RETURNING ${jobColumns("due.clock_offset")}, (extract(epoch FROM due.wake_at) * 1000)::float8 AS due_ms`;

/** Up to `limit` open jobs whose wake-up has passed, as they stood when it did. Repeat until it answers fewer. */
export async function takeDueJobs(
  pool: Pool,
  versions: OutcomeTypeVersions,
  limit: number,
): Promise<readonly DueJob[]> {
  const { rows } = await pool.query<DueRow>({
    name: "take-due",
    text: TAKE_DUE,
    values: [limit, WAKE_AGAIN_MS, WAKE_AGAIN_MAX_MS],
  });
  return await dueJobs(rows, versions);
}

/**
 * Takes no lock and changes nothing. Jobs that move on meanwhile may be seen twice, or not at all: whoever moves one
 * publishes its message.
 */
const WAITING = `
  SELECT ${jobColumns("a.clock_offset")}, ${msOf("j.wake_at")} AS due_ms, j.wake_at::text AS wakes_at
    FROM job j
   CROSS JOIN LATERAL (SELECT clock_offset FROM customer_account WHERE customer_id = j.customer_id OFFSET 0) a
   WHERE j.state <> 'closed' AND j.state IN ('queued', 'validating', 'settling')
     AND j.wake_at >= $1::timestamptz AND (j.wake_at, j.id) > ($1::timestamptz, $2)
   ORDER BY j.wake_at, j.id LIMIT $3`;

/** All jobs that wait for a message, page by page, the one that would be looked at first in the first. */
export async function* jobsThatWait(
  pool: Pool,
  versions: OutcomeTypeVersions,
  pageJobs: number,
): AsyncGenerator<readonly DueJob[]> {
  let after: readonly [string, string] = ["-infinity", ""];
  for (;;) {
    const { rows } = await pool.query<DueRow & { readonly wakes_at: string }>({
      name: "waiting-jobs",
      text: WAITING,
      values: [...after, pageJobs],
    });
    yield await dueJobs(rows, versions);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageJobs) return;
    after = [last.wakes_at, last.id];
  }
}

type DueRow = JobRow & { readonly due_ms: number };

async function dueJobs(rows: readonly DueRow[], versions: OutcomeTypeVersions): Promise<readonly DueJob[]> {
  return await Promise.all(
    rows.map(async (row) => {
      const version = await versions.pinned(row.outcome_type_version_id, row.customer_terms_id);
      const job = jobOf({ ...row, wake_ms: row.due_ms }, version.terms);
      return { job, version, traceparent: row.traceparent, nowMs: row.now_ms };
    }),
  );
}
