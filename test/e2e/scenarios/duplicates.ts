/** Messages are hints: delivered again, out of date, about nothing, they change nothing. */
import { newId } from "@contingent/db/ids";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { answer, type Case, submit } from "../support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../support/expectations.ts";
import { positionOf } from "../support/jobs.ts";
import { sendCopies } from "../support/queues.ts";
import { step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

const WAITING_MS = 700;
const WAITS = { initial_delay_ms: WAITING_MS, multiplier: 1, jitter: 0, delay_max_ms: WAITING_MS };
const RETRIED_ONCE = [
  "job.accepted",
  "attempt.started",
  "attempt.answered",
  "job.retried",
  "attempt.started",
  "attempt.answered",
  "job.resolved",
  "job.closed",
];

export function duplicateTests(system: GetSystem): void {
  /** A job that waits for its second attempt. */
  async function waiting(): Promise<Case & { readonly revision: number }> {
    const cascade = [step("fast", { attempts_max: 3, retry: WAITS })];
    const it = await submit(system(), { terms: { cascade }, steps: [answer(WRONG)] });
    const { revision } = await until(
      async () => {
        const position = await positionOf(system(), it.id);
        return position.state === "queued" && position.revision > 1 && position;
      },
      { timeoutMs: 10_000, intervalMs: 5, what: "the job to wait for its second attempt" },
    );
    return { ...it, revision };
  }

  test.concurrent("a message that arrives four times starts one attempt", async () => {
    const it = await waiting();
    // All four wait in the worker for the same instant and then race for the same revision.
    await sendCopies(system(), "attempt.fast", { jobId: it.id, revision: it.revision }, 3);
    const job = await it.closed();
    expect(it.requests()).toHaveLength(2);
    expect(await storyOf(it)).toEqual(RETRIED_ONCE);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  test.concurrent("messages for revisions that are past, or still to come, are dropped", async () => {
    const it = await waiting();
    for (const revision of [1, it.revision - 1, it.revision + 40]) {
      for (const queue of ["attempt.fast", "attempt.premium", "validate", "settle"] as const) {
        await sendCopies(system(), queue, { jobId: it.id, revision }, 1);
      }
    }
    await sendCopies(system(), "settle", { jobId: newId("job"), revision: 1 }, 1);
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(RETRIED_ONCE);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  test.concurrent("a message on the wrong queue, for the right revision, does no harm", async () => {
    const it = await waiting();
    await sendCopies(system(), "settle", { jobId: it.id, revision: it.revision }, 2);
    await sendCopies(system(), "validate", { jobId: it.id, revision: it.revision }, 2);
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(RETRIED_ONCE);
    await expectCharged(system(), it, job);
  });

  test.concurrent("a job whose every message arrives again and again is charged once", async () => {
    const it = await submit(system(), { steps: [{ step: "slow", ms: 100, do: { step: "answer_json", json: WRONG } }] });
    for (;;) {
      const { state, revision } = await positionOf(system(), it.id);
      if (state === "closed") break;
      for (const queue of ["attempt.fast", "validate", "settle"] as const) {
        await sendCopies(system(), queue, { jobId: it.id, revision }, 2);
      }
    }
    const job = await it.closed();
    expect(job.resolution).toBe("success");
    expect(it.requests()).toHaveLength(2);
    expect(await storyOf(it)).toEqual(RETRIED_ONCE);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });
}
