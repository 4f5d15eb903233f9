/**
 * The end of what was begun, at the machine's own pace: however much there is to do, and however slow the machine, it is
 * waited for as long as anything moves.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { System } from "@contingent/testkit/system";
import { expect } from "vitest";

/**
 * Longer than anything lies still that is nobody's fault: what a dead process had taken up is delivered again within 15 s,
 * and the sweeper looks a second time 30 s after its first look.
 */
const STILL_MAX_MS = 40_000;
/** What goes round in circles moves too. */
const MOVING_MAX_MS = 900_000;
const INTERVAL_MS = 100;
const SHOWN_MAX = 20;

/** Fails when jobs of this type are stuck. */
export async function untilAllClosed(system: System, type: string): Promise<void> {
  expect(await stuckJobs(system, type), "jobs that are stuck").toEqual([]);
}

/**
 * Waits until all jobs are closed, of one type or of all, or until nothing has moved for a while.
 * @returns what is stuck, and where; nothing, if all went well
 */
export async function stuckJobs(system: System, type: string | null = null): Promise<readonly string[]> {
  const startedMs = performance.now();
  let movedMs = startedMs;
  let last = "";
  for (;;) {
    const { open, position } = await openJobs(system, type);
    if (open === 0) return [];
    const nowMs = performance.now();
    if (position !== last) movedMs = nowMs;
    last = position;
    if (nowMs - movedMs > STILL_MAX_MS || nowMs - startedMs > MOVING_MAX_MS) return await namesOf(system, type);
    await delay(INTERVAL_MS);
  }
}

interface OpenJobs {
  readonly open: number;
  /** Another one after each transition of any of them. */
  readonly position: string;
}

async function openJobs({ pool }: System, type: string | null): Promise<OpenJobs> {
  const { rows } = await pool.query<OpenJobs>({
    text: `SELECT count(*)::int AS open, format('%s at %s', count(*), sum(revision)) AS position
             FROM job WHERE state <> 'closed' AND outcome_type = coalesce($1, outcome_type)`,
    values: [type],
  });
  return rows[0] ?? { open: 0, position: "" };
}

async function namesOf({ pool }: System, type: string | null): Promise<readonly string[]> {
  const { rows } = await pool.query<{ what: string }>({
    text: `SELECT format('%s is %s at revision %s', id, state, revision) AS what
             FROM job WHERE state <> 'closed' AND outcome_type = coalesce($1, outcome_type) LIMIT $2`,
    values: [type, SHOWN_MAX],
  });
  return rows.map(({ what }) => what);
}
