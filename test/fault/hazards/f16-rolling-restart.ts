/** SIGTERM under load, one service after the other, as in a deployment. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { startLoad } from "../harness/load.ts";
import { processOf } from "../harness/processes.ts";
import { untilAllClosed } from "../harness/until-closed.ts";
import type { GetWorld } from "../harness/use-world.ts";

const RATE_PER_S = 30;
const OPEN_MAX = 60;
/** Long enough that calls are under way whenever a worker is told to stop. */
const ANSWERS_AFTER_MS = 300;
/** Longer than any call takes, also on a slow machine: one that timed out would say nothing about the restart. */
const CALL_TIMEOUT_MS = 60_000;
const UNDER_WAY_MIN = 3;
/** One of each kind. */
const RESTARTED = ["intake", "worker-fast-1", "worker-standard-1", "validator", "ledger"];

export function rollingRestart(get: GetWorld): void {
  test("a rolling restart breaks no request, loses nothing, repeats no call and presumes no cost", async () => {
    const world = get();
    const { system } = world;
    await using load = await startLoad(world, {
      ratePerS: RATE_PER_S,
      openMax: OPEN_MAX,
      answersAfterMs: ANSWERS_AFTER_MS,
      callTimeoutMs: CALL_TIMEOUT_MS,
      balanced: true,
    });
    for (const name of RESTARTED) {
      await load.untilPlaced(UNDER_WAY_MIN);
      await until(() => callsUnderWay(world) >= UNDER_WAY_MIN, { intervalMs: 5, what: "calls under way" });
      const { child } = processOf(system, name);
      child.send("SIGTERM");
      expect(await child.exited, `how ${name} ended`).toEqual({ code: 0, signal: null });
      await system.restart(name);
    }
    await load.stop();
    expect({ refusals: load.refusals, broken: load.broken }).toEqual({ refusals: [], broken: [] });
    await untilAllClosed(system, load.type);
    expect(await countOf(get, load.type)).toEqual({ jobs: BigInt(load.placed), outcomes: ["answered"], presumed: 0n });
  });
}

function callsUnderWay({ system: { simulator } }: ReturnType<GetWorld>): number {
  return simulator.requests().filter(({ state }) => state === "received").length;
}

interface Count {
  readonly jobs: bigint;
  /** What came of all their attempts. */
  readonly outcomes: readonly string[];
  readonly presumed: bigint;
}

async function countOf(get: GetWorld, type: string): Promise<Count> {
  const { rows } = await get().system.pool.query<Count>({
    text: `SELECT count(DISTINCT j.id) AS jobs, array_agg(DISTINCT a.outcome) AS outcomes,
                  count(*) FILTER (WHERE a.cost_state = 'presumed') AS presumed
             FROM job j JOIN attempt a ON a.job_id = j.id WHERE j.outcome_type = $1`,
    values: [type],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("nothing was counted");
  return row;
}
