/** The clock of a worker is an hour ahead, or behind. Only the database's clock decides anything. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { answer, type Case, late, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled } from "../../e2e/support/expectations.ts";
import { wakeNow } from "../../e2e/support/jobs.ts";
import { HAIKU, SONNET, step, WRONG } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

const HOUR_MS = 3_600_000;
/** Far from an hour, and long enough for a slow machine. */
const DEADLINE_MS = 120_000;
const WAIT_MS = 200;
const WAITS = { initial_delay_ms: WAIT_MS, multiplier: 1, jitter: 0, delay_max_ms: WAIT_MS };
const JOBS = 6;

export function clockWrong(get: GetWorld): void {
  test("an hour ahead, or behind: leases, waits and deadlines are what they are, and every job is done once", async () => {
    const { system } = get();
    await Promise.all([
      system.restart("worker-fast-1", clockOffBy(HOUR_MS)),
      // The only one of its tier: nobody else looks at its queue.
      system.restart("worker-standard-1", clockOffBy(-HOUR_MS)),
    ]);
    try {
      // Tried again after a wait that the validator asks for, and after one that the worker itself does.
      const steps = [answer(WRONG), "overloaded" as const, late(50)];
      const retried = { attempts_max: 2, retry: WAITS };
      const fast = await publish(system, { cascade: [step("fast", retried)], deadline_ms: DEADLINE_MS });
      const standard = await publish(system, { cascade: [step("standard", retried)], deadline_ms: DEADLINE_MS });
      const types = Array.from({ length: JOBS }, (_, n) => (n % 2 === 0 ? fast : standard));
      const cases = await Promise.all(types.map((type) => submit(system, { type, steps })));
      await closedWithSweeping(system, cases);
      for (const it of cases) {
        const job = await it.closed();
        const [tier, model] = it.type === fast ? ["fast", HAIKU] : ["standard", SONNET];
        expect(attemptsOf(job)).toEqual(
          ["answered", "unavailable", "answered"].map((outcome) => `${tier} ${model} ${outcome}`),
        );
        await expectCharged(system, it, job);
        expectCostAsBilled(it, job);
      }
    } finally {
      await Promise.all(["worker-fast-1", "worker-standard-1"].map((name) => system.restart(name)));
    }
  });
}

function clockOffBy(ms: number): Readonly<Record<string, string>> {
  const clock = pathToFileURL(path.join(import.meta.dirname, "../harness/skewed-clock.ts"));
  return { NODE_OPTIONS: `--import=${clock.href}`, CLOCK_SKEW_MS: String(ms) };
}

/** A queue that believes a wrong clock delivers late; the sweeper, hastened here, sees to it within 15 s of the right time. */
async function closedWithSweeping(system: System, cases: readonly Case[]): Promise<void> {
  const ids = cases.map(({ id }) => id);
  await until(
    async () => {
      await wakeNow(system, ids, ["queued"]);
      const states = await Promise.all(cases.map((it) => it.now()));
      return states.every(({ state }) => state === "closed");
    },
    { intervalMs: 100, what: "every job to be closed" },
  );
}
