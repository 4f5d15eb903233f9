/** The metrics of the business, held against the jobs and the books. */
import type { OtlpReceiver } from "@contingent/testkit/otlp-receiver";
import { expect, test } from "vitest";
import { nanosOf } from "../e2e/support/bills.ts";
import { answer, settle } from "../e2e/support/cases.ts";
import { PRICE, step, WRONG } from "../e2e/support/sums.ts";
import type { GetSystem } from "../e2e/support/use-system.ts";
import { ARRIVE, type GetReceiver } from "./tree.ts";

export function metricTests(system: GetSystem, received: GetReceiver): void {
  test("the metrics of the business arrive, in agreement with the jobs", async () => {
    const cascade = [step("fast", { attempts_max: 2, timeout_ms: 300 }), step("standard", { attempts_max: 1 })];
    const [good, slow, bad] = await Promise.all([
      settle(system(), { terms: { cascade }, steps: [answer(WRONG)] }),
      settle(system(), { terms: { cascade }, steps: ["hang"] }),
      settle(system(), { terms: { cascade }, steps: ["refuse", "refuse"] }),
    ]);
    const sum = (name: string, where: object): number => valueOf(received(), name, where).sum;
    const count = (name: string, where: object): number => valueOf(received(), name, where).count;
    const jobs = (type: string, resolution: string, reason: string): (() => number) => {
      const where = { "outcome.type": type, "outcome.resolution": resolution, "outcome.reason": reason };
      return () => sum("outcome.jobs", where);
    };
    const price = Number(nanosOf({ amount: PRICE }));
    // Each process sends what it has counted when its time comes.
    await expect.poll(jobs(good.it.type, "success", "verified"), ARRIVE).toBe(1);
    await expect.poll(jobs(slow.it.type, "success", "verified"), ARRIVE).toBe(1);
    await expect.poll(jobs(bad.it.type, "failure", "refused"), ARRIVE).toBe(1);
    await expect.poll(() => sum("outcome.price", { "outcome.type": good.it.type }), ARRIVE).toBe(price);
    expect(sum("outcome.price", { "outcome.type": bad.it.type })).toBe(0);
    for (const verdict of ["pass", "fail"]) {
      const where = { "outcome.type": good.it.type, "outcome.verdict": verdict };
      await expect.poll(() => count("outcome.validation.duration", where), ARRIVE).toBe(1);
    }

    // Over all jobs of this system so far: attempts by tier and result, and their cost, as in the books.
    const { rows } = await system().pool.query<{ tier: string; outcome: string; attempts: bigint; cost: string }>({
      text: "SELECT tier, outcome, count(*) AS attempts, sum(cost_nanos)::text AS cost FROM attempt GROUP BY 1, 2",
    });
    for (const { tier, outcome, attempts } of rows) {
      const where = { "outcome.tier": tier, "outcome.attempt.result": outcome };
      await expect.poll(() => sum("outcome.attempts", where), ARRIVE).toBe(Number(attempts));
    }
    const booked = rows.reduce((total, row) => total + Number(row.cost), 0);
    await expect.poll(() => sum("outcome.cost", {}), ARRIVE).toBe(booked);
    for (const queue of ["attempt.fast", "attempt.standard", "validate", "settle"]) {
      const where = { "messaging.destination.name": queue };
      await expect.poll(() => count("outcome.queue.wait", where), ARRIVE).toBeGreaterThan(0);
    }
  });
}

/** The latest value of a metric over all processes and all points with these attributes. */
function valueOf(
  receiver: OtlpReceiver,
  name: string,
  where: object,
): { readonly sum: number; readonly count: number } {
  const latest = new Map<string, { sum: number; count: number }>();
  for (const metric of receiver.metrics().filter((each) => each.name === name)) {
    const points = metric.points.filter(({ attributes }) =>
      Object.entries(where).every(([key, value]) => attributes[key] === value),
    );
    const sum = points.reduce((total, point) => total + point.sum, 0);
    const count = points.reduce((total, point) => total + point.count, 0);
    latest.set(metric.instance, { sum, count });
  }
  return [...latest.values()].reduce(
    (total, each) => ({ sum: total.sum + each.sum, count: total.count + each.count }),
    {
      sum: 0,
      count: 0,
    },
  );
}
