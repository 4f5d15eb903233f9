/** Links that are slow, reset, half dead, or lose everything. Nothing is stuck for longer than a minute. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { step } from "../../e2e/support/sums.ts";
import { startLoad } from "../harness/load.ts";
import { untilAllClosed } from "../harness/until-closed.ts";
import type { GetWorld } from "../harness/use-world.ts";
import { linksOf } from "../harness/world.ts";

const SLOW_MS = 25;
const SLOW_JOBS = 6;
const RATE_PER_S = 20;
const ORDERS = 15;
const OPEN_MAX = 100;

export function linkBroken(get: GetWorld): void {
  test("every link is slow: jobs take longer, and nothing is repeated", async () => {
    const { system } = get();
    for (const link of linksOf(get())) link.slow(SLOW_MS);
    try {
      const type = await publish(system);
      const cases = await Promise.all(Array.from({ length: SLOW_JOBS }, () => submit(system, { type })));
      for (const it of cases) {
        const job = await it.closed();
        expect(it.requests()).toHaveLength(1);
        await expectCharged(system, it, job);
        expectCostAsBilled(it, job);
      }
    } finally {
      for (const link of linksOf(get())) await link.restore();
    }
  });

  test.each(["reset", "deafen", "blackHole"] as const)(
    "under load every link fails (%s): every order is acknowledged, and all go on soon after",
    async (fault) => {
      const world = get();
      await using load = await startLoad(world, { ratePerS: RATE_PER_S, openMax: OPEN_MAX });
      try {
        await load.untilPlaced(ORDERS);
        for (const link of linksOf(get())) link[fault]();
        if (fault !== "reset") {
          // The first answers that are missing are being waited for.
          await until(() => load.underWay >= ORDERS, { intervalMs: 5, what: "silence" });
        }
      } finally {
        for (const link of linksOf(get())) await link.restore();
      }
      await load.untilPlaced(ORDERS);
      await load.stop();
      expect(load.refusals).toEqual([]);
      await untilAllClosed(world.system, load.type);
    },
  );

  test("a provider that cannot be reached at all is waited for, at no cost", async () => {
    const { system, links } = get();
    const retry = { initial_delay_ms: 50, multiplier: 2, jitter: 0, delay_max_ms: 200 };
    await links.provider.cut();
    const it = await submit(system, { terms: { cascade: [step("fast", { retry }), step("standard", { retry })] } });
    await until(async () => (await eventTypes(get, it.id)).filter((type) => type === "job.waited").length >= 2, {
      what: "the job to wait for the provider",
    });
    expect(it.requests()).toEqual([]);
    await links.provider.restore();
    const job = await it.closed();
    expect(job.resolution).toBe("success");
    expect(await storyOf(it)).toContain("job.fell_back");
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });
}

async function eventTypes(get: GetWorld, id: string): Promise<readonly string[]> {
  const { rows } = await get().system.pool.query<{ type: string }>({
    text: "SELECT type FROM job_event WHERE job_id = $1 ORDER BY revision",
    values: [id],
  });
  return rows.map((row) => row.type);
}
