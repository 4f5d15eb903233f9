/** kill -9 of every process, three times, under load; the last time in the windows between taking a message up and committing. */
import { expect, test } from "vitest";
import { startLoad } from "../harness/load.ts";
import { armToDie, killAll, restartTheDead, untilDead } from "../harness/processes.ts";
import { untilAllClosed } from "../harness/until-closed.ts";
import type { GetWorld } from "../harness/use-world.ts";

const RATE_PER_S = 25;
/** Enough for all to have something to do until the end comes: while the ledger is dead nothing is closed. */
const OPEN_MAX = 300;
const ORDERS_PER_ROUND = 20;
/** Which order of a round is the last one before the end is left to chance. */
const ORDERS_SPREAD = 15;

const LAST_POINTS = [
  ["ledger", "ledger.decided"],
  ["validator", "validator.judged"],
  ["worker-fast-1", "worker.taken"],
] as const;

export function everythingKilled(get: GetWorld): void {
  test("three times under load: every order becomes one job, and all go on by themselves", async () => {
    const world = get();
    const { system } = world;
    await using load = await startLoad(world, { ratePerS: RATE_PER_S, openMax: OPEN_MAX });
    for (const round of ["first", "second"]) {
      await load.untilPlaced(ORDERS_PER_ROUND + Math.floor(world.chance(round) * ORDERS_SPREAD));
      await killAll(system);
      await restartTheDead(system);
    }
    // Each dies with a message in its hands and nothing committed; who comes last in a job's life first, or nothing would get there.
    for (const [name, point] of LAST_POINTS) {
      armToDie(system, name, point);
      await untilDead(system, name);
    }
    await killAll(system);
    await restartTheDead(system);
    await load.stop();
    expect(load.refusals).toEqual([]);

    await untilAllClosed(system, load.type);
    const { rows } = await system.pool.query<{ jobs: bigint; charges: bigint }>({
      text: `SELECT count(*) AS jobs, count(c.job_id) AS charges
               FROM job j LEFT JOIN charge c ON c.job_id = j.id WHERE j.outcome_type = $1`,
      values: [load.type],
    });
    expect(rows[0]?.jobs).toBe(BigInt(load.placed));
    expect(rows[0]?.charges).toBeGreaterThan(0n);
  });
}
