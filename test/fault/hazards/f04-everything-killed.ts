/** kill -9 of every process, three times, under load; the last time in the windows between taking a message up and committing. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { startLoad } from "../harness/load.ts";
import { armToDie, killAll, restartTheDead, untilDead } from "../harness/processes.ts";
import { HAZARD_TIMEOUT_MS, type GetWorld } from "../harness/use-world.ts";

const RATE_PER_S = 25;
const ORDERS_PER_ROUND = 20;
/** Which order of a round is the last one before the end is left to chance. */
const ORDERS_SPREAD = 15;
/** The transport delivers again what was taken up by the dead within 15 s, and the sweeper publishes what they did not. */
const RECOVERED_WITHIN_MS = 25_000;

/** Those who come last in a job's life die first, or nothing would get to them. */
const LAST_POINTS = [
  ["ledger", "ledger.decided"],
  ["validator", "validator.judged"],
  ["worker-fast-1", "worker.taken"],
] as const;

export function everythingKilled(get: GetWorld): void {
  test(
    "three times under load: every order becomes one job, and all go on by themselves",
    async () => {
      const world = get();
      const { system } = world;
      await using load = await startLoad(world, { ratePerS: RATE_PER_S });
      for (const round of ["first", "second"]) {
        const enough = load.placed + ORDERS_PER_ROUND + Math.floor(world.chance(round) * ORDERS_SPREAD);
        await until(() => load.placed >= enough, { timeoutMs: 30_000, intervalMs: 5, what: `order ${enough}` });
        await killAll(system);
        await restartTheDead(system);
      }
      // Each dies with a message in its hands and nothing committed.
      for (const [name, point] of LAST_POINTS) {
        armToDie(system, name, point);
        await untilDead(system, name);
      }
      await killAll(system);
      await restartTheDead(system);
      await load.stop();
      expect(load.refusals).toEqual([]);

      const counted = (): Promise<{ rows: { jobs: bigint; open: bigint; charges: bigint }[] }> =>
        system.pool.query({
          text: `SELECT count(*) AS jobs, count(*) FILTER (WHERE state <> 'closed') AS open, count(c.job_id) AS charges
                   FROM job j LEFT JOIN charge c ON c.job_id = j.id WHERE j.outcome_type = $1`,
          values: [load.type],
        });
      await until(async () => (await counted()).rows[0]?.open === 0n, {
        timeoutMs: RECOVERED_WITHIN_MS,
        what: "every job to be closed",
      });
      const [after] = (await counted()).rows;
      expect(after?.jobs).toBe(BigInt(load.placed));
      expect(after?.charges).toBeGreaterThan(0n);
    },
    HAZARD_TIMEOUT_MS,
  );
}
