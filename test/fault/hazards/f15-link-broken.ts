/** Links that are slow, reset, half dead, or lose everything. Nothing is stuck for longer than a minute. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { step } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

export function linkBroken(get: GetWorld): void {
  test("a provider that cannot be reached at all is waited for, at no cost", async () => {
    const { system, links } = get();
    const retry = { initial_delay_ms: 50, multiplier: 2, jitter: 0, delay_max_ms: 200 };
    await links.provider.cut();
    const it = await submit(system, { terms: { cascade: [step("fast", { retry }), step("standard", { retry })] } });
    await until(async () => (await eventTypes(get, it.id)).filter((type) => type === "job.waited").length >= 2, {
      timeoutMs: 20_000,
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
