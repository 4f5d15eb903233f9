/** Messages that are lost, a database that drops everybody, a provider that cannot be reached. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { answer, late, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { untilState, wakeNow } from "../../e2e/support/jobs.ts";
import { loseAllMessages, waitingIn } from "../../e2e/support/queues.ts";
import { step, WRONG } from "../../e2e/support/sums.ts";
import { type GetBreakable, stopOrderly } from "../support/breakable.ts";

const BACKLOG = 20;
const SOON = { timeout: 15_000, interval: 20 };
const FAST_WORKERS = ["worker-fast-1", "worker-fast-2"];

export function awayTests(get: GetBreakable): void {
  test("a backlog whose every message is lost is worked off all the same, each job once", async () => {
    const { system } = get();
    for (const name of FAST_WORKERS) await stopOrderly(system, name);
    const type = await publish(system);
    const cases = await Promise.all(Array.from({ length: BACKLOG }, () => submit(system, { type })));
    try {
      await expect.poll(() => waitingIn(system, "attempt.fast"), SOON).toBe(BACKLOG);
      await loseAllMessages(system);
      expect(await waitingIn(system, "attempt.fast")).toBe(0);
    } finally {
      for (const name of FAST_WORKERS) await system.restart(name);
    }
    await wakeNow(
      system,
      cases.map((it) => it.id),
    );
    for (const it of cases) {
      const job = await it.closed();
      expect(it.requests()).toHaveLength(1);
      await expectCharged(system, it, job);
      expectCostAsBilled(it, job);
    }
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

  test("services survive that the database drops all its connections, three times, and lose no job", async () => {
    const { system } = get();
    const before = system.processes().map(({ child }) => child.pid);
    const quick = { timeout_ms: 2_000 };
    const type = await publish(system, {
      cascade: [step("fast", { attempts_max: 2, ...quick }), step("standard", quick)],
    });
    const steps = [answer(WRONG), late(200)];
    const cases = await Promise.all(Array.from({ length: BACKLOG }, () => submit(system, { type, steps })));
    for (let round = 0; round < 3; round += 1) {
      await dropAllConnections(get());
      await until(async () => (await system.api.send({ path: "/readyz" })).status === 200, {
        timeoutMs: 20_000,
        what: "the API to be ready again",
      });
    }
    const ids = cases.map((it) => it.id);
    await until(
      async () => {
        // A commit whose confirmation was cut off has happened, and its message was not sent. Leases end by themselves.
        await wakeNow(system, ids, ["queued", "validating", "settling"]);
        const { rows } = await system.pool.query<{ open: bigint }>({
          text: "SELECT count(*) AS open FROM job WHERE state <> 'closed' AND id = ANY($1)",
          values: [ids],
        });
        return rows[0]?.open === 0n;
      },
      { timeoutMs: 40_000, intervalMs: 500, what: "every job to be closed" },
    );
    for (const it of cases) {
      const job = await it.closed();
      expect(job.resolution).toBe("success");
      await expectCharged(system, it, job);
      expect(nanosOf(job.cost)).toBeGreaterThanOrEqual(it.bill());
    }
    expect(system.processes().map(({ child }) => child.pid)).toEqual(before);
  });

  test("a provider that cannot be reached at all is waited for, at no cost", async () => {
    const { system, providerLink } = get();
    const retry = { initial_delay_ms: 50, multiplier: 2, jitter: 0, delay_max_ms: 200 };
    await providerLink.cut();
    const it = await submit(system, { terms: { cascade: [step("fast", { retry }), step("standard", { retry })] } });
    await until(async () => (await eventTypes(get, it.id)).filter((type) => type === "job.waited").length >= 2, {
      timeoutMs: 20_000,
      what: "the job to wait for the provider",
    });
    expect(it.requests()).toEqual([]);
    await providerLink.restore();
    const job = await it.closed();
    expect(job.resolution).toBe("success");
    expect(await storyOf(it)).toContain("job.fell_back");
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });
}

async function dropAllConnections({ system }: ReturnType<GetBreakable>): Promise<void> {
  await system.pool
    .query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    })
    .catch(() => undefined);
}

async function eventTypes(get: GetBreakable, id: string): Promise<readonly string[]> {
  const { rows } = await get().system.pool.query<{ type: string }>({
    text: "SELECT type FROM job_event WHERE job_id = $1 ORDER BY revision",
    values: [id],
  });
  return rows.map((row) => row.type);
}
