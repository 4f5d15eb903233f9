/**
 * A worker that stands still for longer than its message's lock and its lease and then goes on as if nothing had been, a
 * zombie: the whole process is frozen, or something in it computes for so long that its loop does not turn.
 */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { bookedFor } from "../../e2e/support/books.ts";
import { type Case, held, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { wakeNow } from "../../e2e/support/jobs.ts";
import { giveBack } from "../../e2e/support/queues.ts";
import { HAIKU, RIGHT, step } from "../../e2e/support/sums.ts";
import { FAST_WORKERS, pauseAt, processOf } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

const TERMS = { cascade: [step("fast", { attempts_max: 2, timeout_ms: 120_000 })] };

export function workerFrozen(get: GetWorld): void {
  test("a worker that froze beyond its lease: the job goes on without it, its answer is paid for and dropped", async () => {
    const { system } = get();
    const claimed = pauseAt(system, FAST_WORKERS, "worker.claimed");
    const it = await submit(system, { terms: TERMS, steps: [held("frozen")] });
    const frozen = processOf(system, await claimed.reached()).child;
    claimed.goOn();
    await it.reached("held");
    try {
      frozen.send("SIGSTOP");
      await expectDoneByAnother(system, it, () => {
        expect(system.simulator.release("frozen")).toBe(1);
        frozen.send("SIGCONT");
      });
    } finally {
      frozen.send("SIGCONT");
    }
  });

  test("a worker whose loop is blocked with an answer in its hands: the same", async () => {
    const { system } = get();
    const blocked = pauseAt(system, FAST_WORKERS, "worker.answered", "block");
    try {
      const it = await submit(system, { terms: TERMS });
      expect(FAST_WORKERS).toContain(await blocked.reached());
      for (const name of FAST_WORKERS) system.arm(name, "");
      await expectDoneByAnother(system, it, () => blocked.goOn());
    } finally {
      blocked.goOn();
    }
  });

  test("a worker whose loop is blocked with a message in its hands: another does the same message, and it finds nothing to do", async () => {
    const { system } = get();
    const blocked = pauseAt(system, FAST_WORKERS, "worker.taken", "block");
    try {
      const it = await submit(system, { terms: TERMS });
      const name = await blocked.reached();
      for (const each of FAST_WORKERS) system.arm(each, "");
      await giveBack(system, "attempt.fast");
      const job = await it.closed();
      blocked.goOn();
      await until(() => answersAgain(system, name), { what: `${name} to go on` });
      expect(await storyOf(it)).toEqual(UNDISTURBED);
      expect(it.requests()).toHaveLength(1);
      await expectCharged(system, it, job);
      expectCostAsBilled(it, job);
    } finally {
      blocked.goOn();
    }
  });
}

/** Another worker does the job whose message and lease a zombie has lost. Then the zombie goes on, and nothing changes but what the job cost. */
async function expectDoneByAnother(system: System, it: Case, goOn: () => void): Promise<void> {
  await giveBack(system, "attempt.fast");
  await wakeNow(system, [it.id]);
  const job = await it.closed();
  expect(job).toMatchObject({ resolution: "success", output: RIGHT });
  expect(attemptsOf(job)).toEqual([`fast ${HAIKU} lost`, `fast ${HAIKU} answered`]);
  const [lost] = job.attempt_list ?? [];
  expect((await bookedFor(system, it.id)).keys).toContain(`cost:${lost?.id}:estimated`);
  await expectCharged(system, it, job);
  const story = await storyOf(it);

  goOn();
  await until(async () => (await bookedFor(system, it.id)).keys.includes(`cost:${lost?.id}:reported`), {
    what: "the late cost in the books",
  });
  const after = await system.operator.jobInFull(it.id);
  await expectCharged(system, it, after);
  expectCostAsBilled(it, after);
  expect(it.billed()).toHaveLength(2);
  const besidesCosts = { cost: null, margin: null, tokens: null, attempt_list: null };
  expect({ ...after, ...besidesCosts }).toEqual({ ...job, ...besidesCosts });
  expect(await storyOf(it)).toEqual(story);
}

async function answersAgain(system: System, name: string): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${processOf(system, name).port}/healthz`);
  await answer.body?.cancel();
  return answer.ok;
}
