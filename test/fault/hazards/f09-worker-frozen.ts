/** A worker that stands still beyond its lease and then goes on as if nothing had been: a zombie. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { bookedFor } from "../../e2e/support/books.ts";
import { held, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { wakeNow } from "../../e2e/support/jobs.ts";
import { sendCopies } from "../../e2e/support/queues.ts";
import { HAIKU, RIGHT, step } from "../../e2e/support/sums.ts";
import { FAST_WORKERS, pauseAt, processOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

export function workerFrozen(get: GetWorld): void {
  test("a worker that froze beyond its lease: the job goes on without it, its answer is paid for and dropped", async () => {
    const { system } = get();
    const claimed = pauseAt(system, FAST_WORKERS, "worker.claimed");
    const terms = { cascade: [step("fast", { attempts_max: 2, timeout_ms: 120_000 })] };
    const it = await submit(system, { terms, steps: [held("frozen")] });
    const frozen = processOf(system, await claimed.reached()).child;
    claimed.goOn();
    await it.reached("held");
    try {
      frozen.send("SIGSTOP");
      // The transport gives its message to another worker, as it does when nobody has renewed the lock for 10 s.
      await sendCopies(system, "attempt.fast", { jobId: it.id, revision: 1 }, 2);
      await wakeNow(system, [it.id]);
      const job = await it.closed();
      expect(job).toMatchObject({ resolution: "success", output: RIGHT });
      expect(attemptsOf(job)).toEqual([`fast ${HAIKU} lost`, `fast ${HAIKU} answered`]);
      const [lost] = job.attempt_list ?? [];
      expect((await bookedFor(system, it.id)).keys).toContain(`cost:${lost?.id}:estimated`);
      await expectCharged(system, it, job);
      const story = await storyOf(it);

      expect(system.simulator.release("frozen")).toBe(1);
      frozen.send("SIGCONT");
      await until(async () => (await bookedFor(system, it.id)).keys.includes(`cost:${lost?.id}:reported`), {
        timeoutMs: 20_000,
        what: "the late cost in the books",
      });
      const after = await system.operator.jobInFull(it.id);
      await expectCharged(system, it, after);
      expectCostAsBilled(it, after);
      expect(it.billed()).toHaveLength(2);
      expect({ ...after, cost: null, margin: null, tokens: null, attempt_list: null }).toEqual({
        ...job,
        cost: null,
        margin: null,
        tokens: null,
        attempt_list: null,
      });
      expect(await storyOf(it)).toEqual(story);
    } finally {
      frozen.send("SIGCONT");
    }
  });
}
