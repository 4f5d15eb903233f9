/** A deadline that passes while somebody is at work. What comes late is not charged, and its cost is booked. */
import type { System } from "@contingent/testkit/system";
import { describe, expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { answer, type Case, held, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../../e2e/support/expectations.ts";
import { untilState } from "../../e2e/support/jobs.ts";
import { step, WRONG } from "../../e2e/support/sums.ts";
import { type Pause, pauseAt, processOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

const SOON = { timeout: 60_000, interval: 20 };
/** Until it is let pass: a slow machine takes its time to get where it is to be then. */
const DEADLINE_MS = 600_000;

export function deadlinePasses(get: GetWorld): void {
  test("while it waits for its second attempt, with its answer in a worker's hands, and with its outcome before the customer: it costs what it costs, and is charged only where the customer had it in time", async () => {
    const { system } = get();
    const retry = { initial_delay_ms: 60_000, multiplier: 1, jitter: 0, delay_max_ms: 60_000 };
    const quick = { timeout_ms: 10_000, retry };
    const acceptance = { mode: "explicit", until_ms: 60_000 };
    const pause = pauseAt(system, ["worker-standard-1"], "worker.answered");
    try {
      const waiting = await submit(system, {
        terms: { cascade: [step("fast", { ...quick, attempts_max: 2 })], deadline_ms: DEADLINE_MS },
        steps: [answer(WRONG)],
      });
      const answered = await submit(system, {
        terms: { cascade: [step("standard", quick)], deadline_ms: DEADLINE_MS },
      });
      const offered = await submit(system, {
        terms: { cascade: [step("fast", quick)], acceptance, deadline_ms: DEADLINE_MS },
      });
      await expect.poll(() => waiting.now(), SOON).toMatchObject({ state: "queued", attempts: 1 });
      await untilState(system, offered.id, "awaiting_acceptance");
      await pause.reached();
      await deadlineIn(system, 0, [waiting, answered, offered]);
      for (const it of [waiting, answered]) await expectUnbilled(system, it, await it.closed(), "deadline");
      expect(waiting.requests()).toHaveLength(1);
      pause.goOn();
      for (const it of [waiting, answered]) {
        await expect.poll(async () => nanosOf((await system.operator.jobInFull(it.id)).cost), SOON).toBe(it.bill());
        expect(it.bill()).toBeGreaterThan(0n);
        await expectUnbilled(system, it, await system.operator.jobInFull(it.id), "deadline");
      }

      expect((await offered.now()).state).toBe("awaiting_acceptance");
      expect((await offered.decide({ decision: "accept" })).status).toBe(200);
      await expectCharged(system, offered, await offered.closed());
    } finally {
      pause.goOn();
    }
  });

  describe("a verdict that is reached after the deadline charges nothing, whatever it says", () => {
    const terms = { cascade: [step("fast")], deadline_ms: DEADLINE_MS };

    test("when the job has been closed meanwhile", async () => {
      const { system } = get();
      await withPausedValidator(system, async (pause) => {
        const it = await submit(system, { terms });
        await pause.reached();
        await deadlineIn(system, 0, [it]);
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
        const it = await submit(system, { terms, steps: [held("overdue")] });
        await it.reached("held");
        sweeper.send("SIGSTOP");
        try {
          // Beyond the worker, who knows the job from before; the validator learns of it.
          await deadlineIn(system, 500, [it]);
          system.simulator.release("overdue");
          await pause.reached();
          await expect.poll(() => isOverdue(system, it.id), SOON).toBe(true);
          pause.goOn();
          await untilState(system, it.id, "settling");
        } finally {
          sweeper.send("SIGCONT");
        }
        const job = await it.closed();
        await expectUnbilled(system, it, job, "deadline");
        expectCostAsBilled(it, job);
        // The verdict is kept, as evidence of what the money was spent on.
        expect(job.attempt_list?.[0]?.verdict?.decision).toBe("pass");
      });
    });
  });
}

/** As if that were all the time that the jobs were given. Who has a job in hand goes by what it knew before. */
async function deadlineIn(system: System, ms: number, cases: readonly Case[]): Promise<void> {
  await system.pool.query({
    text: `UPDATE job SET deadline_at = now() + $1 * interval '1 millisecond', wake_at = now() + $1 * interval '1 millisecond'
            WHERE id = ANY ($2)`,
    values: [ms, cases.map(({ id }) => id)],
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
