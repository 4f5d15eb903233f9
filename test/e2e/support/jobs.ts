/** A job's row, for tests that hasten or follow what would otherwise take its time. */
import { JOB_STATES, type JobState } from "@contingent/core/job/job";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";

export interface Position {
  readonly state: JobState;
  readonly revision: number;
}

/** Where the job stands now. */
export async function positionOf(system: System, id: string): Promise<Position> {
  const { rows } = await system.pool.query<Position>({
    text: "SELECT state, revision FROM job WHERE id = $1",
    values: [id],
  });
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no job ${id}`);
  return row;
}

/** Waits until the job is in this state. */
export async function untilState(system: System, id: string, state: JobState): Promise<Position> {
  return await until(
    async () => {
      const position = await positionOf(system, id);
      return position.state === state && position;
    },
    { intervalMs: 5, what: `${id} to be ${state}` },
  );
}

/**
 * Lets the sweeper look at the jobs now instead of when their lease or its patience is over. It changes no job: only the
 * time at which somebody looks. A job that is being attempted loses its lease by it: name the states where that may not be.
 */
export async function wakeNow(
  system: System,
  ids: readonly string[],
  states: readonly JobState[] = JOB_STATES,
): Promise<void> {
  await system.pool.query({
    text: "UPDATE job SET wake_at = now() WHERE id = ANY($1) AND state = ANY($2)",
    values: [ids, states],
  });
}
