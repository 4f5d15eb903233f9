/** Postgres cuts everybody off, in the middle of whatever they do. */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { answer, late, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged } from "../../e2e/support/expectations.ts";
import { wakeNow } from "../../e2e/support/jobs.ts";
import { step, WRONG } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

const BACKLOG = 20;

export function databaseGone(get: GetWorld): void {
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
      await dropAllConnections(system);
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
}

async function dropAllConnections(system: System): Promise<void> {
  await system.pool
    .query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    })
    .catch(() => undefined);
}
