/** Everything that the transport holds is gone. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled } from "../../e2e/support/expectations.ts";
import { untilState } from "../../e2e/support/jobs.ts";
import { loseAllMessages, waitingIn } from "../../e2e/support/queues.ts";
import { FAST_WORKERS, stopOrderly } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

const BACKLOG = 30;
/** Not only when the sweeper misses a job's message, 15 s after it should have been taken. */
const NOTICED_WITHIN_MS = 12_000;

export function messagesLost(get: GetWorld): void {
  test("a backlog whose every message is lost, three times, is published again within seconds, and worked off, each job once", async () => {
    const { system } = get();
    await Promise.all(FAST_WORKERS.map((name) => stopOrderly(system, name)));
    const type = await publish(system);
    const cases = await Promise.all(Array.from({ length: BACKLOG }, () => submit(system, { type })));
    const allWait = async (): Promise<boolean> => (await waitingIn(system, "attempt.fast")) === BACKLOG;
    const what = "every message to be there";
    try {
      await until(allWait, { what });
      for (let round = 0; round < 3; round += 1) {
        await loseAllMessages(system);
        await until(allWait, { timeoutMs: NOTICED_WITHIN_MS, what });
      }
    } finally {
      await Promise.all(FAST_WORKERS.map((name) => system.restart(name)));
    }
    await Promise.all(
      cases.map(async (it) => {
        const job = await it.closed();
        expect(it.requests()).toHaveLength(1);
        await expectCharged(system, it, job);
        expectCostAsBilled(it, job);
      }),
    );
  });

  test("an acceptance window whose every message is lost ends when it should, and silence decides", async () => {
    const { system } = get();
    const acceptance = { mode: "window", duration_ms: 3_000, on_silence: "accept" };
    const it = await submit(system, { terms: { acceptance } });
    await untilState(system, it.id, "awaiting_acceptance");
    const endsAtMs = Date.parse((await it.now()).settles_at ?? "");
    await loseAllMessages(system);
    expect((await it.now()).state, "when the message was lost").toBe("awaiting_acceptance");
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", reason: "accepted_by_silence" });
    await expectCharged(system, it, job);
    const closedAtMs = Date.parse(job.closed_at ?? "");
    expect(closedAtMs).toBeGreaterThanOrEqual(endsAtMs);
    // The sweeper came for the window's end, not for some later round of its own.
    expect(closedAtMs).toBeLessThan(endsAtMs + 10_000);
  });
}
