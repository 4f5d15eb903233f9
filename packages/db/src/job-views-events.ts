/** A job's history as customers watch it, and the cheapest way to learn that there is more of it. */
import type { JobId } from "@contingent/core/ids";
import type { JobEventType } from "@contingent/core/job/facts";
import type { JobState } from "@contingent/core/job/job";
import { msOf } from "./job-row.ts";
import type { JobView } from "./job-views.ts";
import type { Pool, Queryable } from "./pool.ts";
import { seenBy, type Tenants } from "./tenants.ts";

export interface JobEventView {
  readonly revision: number;
  readonly type: JobEventType;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  readonly atMs: number;
}

interface EventRow {
  readonly revision: number;
  readonly type: JobEventType;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  readonly at_ms: number;
}

/** A job makes a handful of events; one that makes more is read page by page. */
const EVENTS_MAX = 200;

/** The events after a revision, in order; at most a page of them. By primary key. */
export async function jobEventsAfter(db: Queryable, id: JobId, revision: number): Promise<readonly JobEventView[]> {
  const { rows } = await db.query<EventRow>({
    name: "job-events",
    text: `SELECT revision, type, data, ${msOf("at")} AS at_ms FROM job_event
            WHERE job_id = $1 AND revision > $2 ORDER BY revision LIMIT ${EVENTS_MAX}`,
    values: [id, revision],
  });
  return rows.map(({ revision, type, data, at_ms: atMs }) => ({ revision, type, data, atMs }));
}

/** Where a job stands, and no more. */
export interface JobPosition {
  readonly id: JobId;
  readonly revision: number;
  readonly state: JobState;
}

/** The positions of all these jobs in one statement, by primary key. A job that is not the customer's is left out. */
export async function jobPositions(
  pool: Pool | Tenants,
  jobs: readonly Pick<JobView, "id" | "customerId">[],
): Promise<readonly JobPosition[]> {
  const ofThem = seenBy(
    pool,
    jobs.map(({ customerId }) => customerId),
  );
  const { rows } = await ofThem.query<{ id: JobId; revision: number; state: JobState }>({
    name: "job-positions",
    text: "SELECT id, revision, state FROM job WHERE id = ANY($1::text[])",
    values: [jobs.map(({ id }) => id)],
  });
  return rows;
}
