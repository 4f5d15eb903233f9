/** SIGTERM under load, one service after the other, as in a deployment. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { startLoad } from "../harness/load.ts";
import { processOf } from "../harness/processes.ts";
import { HAZARD_TIMEOUT_MS, type GetWorld } from "../harness/use-world.ts";

const RATE_PER_S = 30;
/** Long enough that calls are under way whenever a worker is told to stop. */
const ANSWERS_AFTER_MS = 300;
const UNDER_WAY_MIN = 3;
/** One of each kind. */
const RESTARTED = ["intake", "worker-fast-1", "worker-standard-1", "validator", "ledger"];

export function rollingRestart(get: GetWorld): void {
  test(
    "a rolling restart breaks no request, loses nothing, repeats no call and presumes no cost",
    async () => {
      const world = get();
      const { system } = world;
      await using load = await startLoad(world, {
        ratePerS: RATE_PER_S,
        answersAfterMs: ANSWERS_AFTER_MS,
        balanced: true,
      });
      for (const name of RESTARTED) {
        const enough = load.placed + UNDER_WAY_MIN;
        await until(() => load.placed >= enough && callsUnderWay(world) >= UNDER_WAY_MIN, {
          timeoutMs: 20_000,
          intervalMs: 5,
          what: "calls under way",
        });
        const { child } = processOf(system, name);
        child.send("SIGTERM");
        expect(await child.exited, `how ${name} ended`).toEqual({ code: 0, signal: null });
        await system.restart(name);
      }
      await load.stop();
      expect({ refusals: load.refusals, broken: load.broken }).toEqual({ refusals: [], broken: [] });
      await until(async () => (await countOf(get, load.type)).open === 0n, {
        timeoutMs: 30_000,
        what: "all to be closed",
      });
      expect(await countOf(get, load.type)).toEqual({ jobs: BigInt(load.placed), open: 0n, presumed: 0n, lost: 0n });
    },
    HAZARD_TIMEOUT_MS,
  );
}

function callsUnderWay({ system: { simulator } }: ReturnType<GetWorld>): number {
  return simulator.requests().filter(({ state }) => state === "received").length;
}

interface Count {
  readonly jobs: bigint;
  readonly open: bigint;
  readonly presumed: bigint;
  readonly lost: bigint;
}

async function countOf(get: GetWorld, type: string): Promise<Count> {
  const { rows } = await get().system.pool.query<Count>({
    text: `SELECT count(DISTINCT j.id) AS jobs, count(DISTINCT j.id) FILTER (WHERE j.state <> 'closed') AS open,
                  count(a.id) FILTER (WHERE a.cost_state = 'presumed') AS presumed,
                  count(a.id) FILTER (WHERE a.outcome = 'lost') AS lost
             FROM job j LEFT JOIN attempt a ON a.job_id = j.id WHERE j.outcome_type = $1`,
    values: [type],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("nothing was counted");
  return row;
}
