/** A deadline that passes while somebody is at work. What comes late is not charged, and its cost is booked. */
import type { System } from "@contingent/testkit/system";
import { describe, expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { type Case, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../../e2e/support/expectations.ts";
import { untilState } from "../../e2e/support/jobs.ts";
import { step } from "../../e2e/support/sums.ts";
import { type Pause, pauseAt, processOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

export function deadlinePasses(get: GetWorld): void {
  describe("a verdict that is reached after the deadline charges nothing, whatever it says", () => {
    const terms = { cascade: [step("fast", { timeout_ms: 300 })], deadline_ms: 1_000 };

    test("when the job has been closed meanwhile", async () => {
      const { system } = get();
      await withPausedValidator(system, async (pause) => {
        const it = await submit(system, { terms });
        await pause.reached();
        const job = await it.closed();
        await expectUnbilled(system, it, job, "deadline");
        const story = await storyOf(it);
        pause.goOn();
        // The verdict is dropped: the next job is judged by the same validator, and nothing of the first one has changed.
        const next = await submit(system);
        await expectCharged(system, next, await next.closed());
        expect(await system.operator.jobInFull(it.id)).toEqual(job);
        expect(await storyOf(it)).toEqual(story);
        // The answer was given and costs what it costs.
        expectCostAsBilled(it, job);
        expect(nanosOf(job.cost)).toBeGreaterThan(0n);
      });
    });

    test("when nobody has noticed the deadline but the validator", async () => {
      const { system } = get();
      const sweeper = processOf(system, "ledger").child;
      await withPausedValidator(system, async (pause) => {
        // Stopped before the job is there: on a busy machine its deadline may be over before anything else can be done.
        const judgedLate = async (): Promise<Case> => {
          const it = await submit(system, { terms: { ...terms, deadline_ms: 2_000 } });
          await pause.reached();
          await expect.poll(() => isOverdue(system, it.id), { timeout: 10_000 }).toBe(true);
          pause.goOn();
          await untilState(system, it.id, "settling");
          return it;
        };
        sweeper.send("SIGSTOP");
        const it = await judgedLate().finally(() => sweeper.send("SIGCONT"));
        const job = await it.closed();
        await expectUnbilled(system, it, job, "deadline");
        expectCostAsBilled(it, job);
        // The verdict is kept, as evidence of what the money was spent on.
        expect(job.attempt_list?.[0]?.verdict?.decision).toBe("pass");
      });
    });
  });
}

/** The validator judges and then waits, before it decides, until it is told to go on. */
async function withPausedValidator(system: System, work: (pause: Pause) => Promise<void>): Promise<void> {
  const pause = pauseAt(system, ["validator"], "validator.judged");
  try {
    await work(pause);
  } finally {
    pause.goOn();
  }
}

async function isOverdue(system: System, id: string): Promise<boolean> {
  const { rows } = await system.pool.query<{ overdue: boolean }>({
    text: "SELECT deadline_at <= now() AS overdue FROM job WHERE id = $1",
    values: [id],
  });
  return rows[0]?.overdue === true;
}
