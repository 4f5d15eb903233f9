/** Answers and verdicts that come when nobody waits for them any more. Their cost is booked, and nothing else. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { describe, expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { bookedFor } from "../../e2e/support/books.ts";
import { type Case, held, submit } from "../../e2e/support/cases.ts";
import {
  attemptsOf,
  expectCharged,
  expectCostAsBilled,
  expectUnbilled,
  storyOf,
} from "../../e2e/support/expectations.ts";
import { untilState, wakeNow } from "../../e2e/support/jobs.ts";
import { HAIKU, RIGHT, step } from "../../e2e/support/sums.ts";
import { type GetBreakable, processOf, untilReached } from "../support/breakable.ts";

const FAST_WORKERS = ["worker-fast-1", "worker-fast-2"];

export function lateTests(get: GetBreakable): void {
  test("a worker that froze beyond its lease: the job goes on without it, its answer is paid for and dropped", async () => {
    const { system } = get();
    // They wait for a file that is there already: all they do is say which of them has the job.
    const there = path.join(os.tmpdir());
    for (const name of FAST_WORKERS) await system.restart(name, { FAILPOINTS: `worker.claimed=pause:${there}` });
    const terms = { cascade: [step("fast", { attempts_max: 2, timeout_ms: 120_000 })] };
    const it = await submit(system, { terms, steps: [held("frozen")] });
    await it.reached("held");
    const frozen = processOf(system, await untilReached(system, FAST_WORKERS)).child;
    try {
      frozen.send("SIGSTOP");
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
      for (const name of FAST_WORKERS) await system.restart(name);
    }
  });

  describe("a verdict that is reached after the deadline charges nothing, whatever it says", () => {
    const terms = { cascade: [step("fast", { timeout_ms: 300 })], deadline_ms: 1_000 };

    test("when the job has been closed meanwhile", async () => {
      const { system } = get();
      await withPausedValidator(system, async (goOn) => {
        const it = await submit(system, { terms });
        await untilReached(system, ["validator"]);
        const job = await it.closed();
        await expectUnbilled(system, it, job, "deadline");
        const story = await storyOf(it);
        goOn();
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
      await withPausedValidator(system, async (goOn) => {
        // Stopped before the job is there: on a busy machine its deadline may be over before anything else can be done.
        const judgedLate = async (): Promise<Case> => {
          const it = await submit(system, { terms: { ...terms, deadline_ms: 2_000 } });
          await untilReached(system, ["validator"]);
          await expect.poll(() => isOverdue(system, it.id), { timeout: 10_000 }).toBe(true);
          goOn();
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
async function withPausedValidator(system: System, work: (goOn: () => void) => Promise<void>): Promise<void> {
  const go = path.join(os.tmpdir(), `contingent-go-${process.pid}-${Date.now()}`);
  const goOn = (): void => fs.writeFileSync(go, "");
  await system.restart("validator", { FAILPOINTS: `validator.judged=pause:${go}` });
  try {
    await work(goOn);
  } finally {
    goOn();
    await system.restart("validator");
    fs.rmSync(go, { force: true });
  }
}

async function isOverdue(system: System, id: string): Promise<boolean> {
  const { rows } = await system.pool.query<{ overdue: boolean }>({
    text: "SELECT deadline_at <= now() AS overdue FROM job WHERE id = $1",
    values: [id],
  });
  return rows[0]?.overdue === true;
}
