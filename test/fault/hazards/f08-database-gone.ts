/** Postgres cuts everybody off, or is stopped at once, in the middle of whatever they do: commits too. */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { answer, type Case, late, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged } from "../../e2e/support/expectations.ts";
import { step, WRONG } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

const BACKLOG = 20;
/** It takes five on a machine that does nothing else, and is in any case not left to the sweeper, who comes after fifteen. */
const BACK_WITHIN_MS = 12_000;
const QUICK = { timeout_ms: 2_000 };

export function databaseGone(get: GetWorld): void {
  test("services survive that the database drops all its connections, three times, and lose no job", async () => {
    const { system } = get();
    const before = system.processes().map(({ child }) => child.pid);
    const cases = await underWay(system);
    for (let round = 0; round < 3; round += 1) {
      await dropAllConnections(system);
      await until(async () => (await system.api.send({ path: "/readyz" })).status === 200, {
        what: "the API to be ready again",
      });
    }
    await expectAllCharged(system, cases);
    expect(system.processes().map(({ child }) => child.pid)).toEqual(before);
  });

  test("stopped at once three times under load, it is worked on again within seconds of being back", async () => {
    const { system, postgres } = get();
    const before = system.processes().map(({ child }) => child.pid);
    const cases: Case[] = [];
    for (let round = 0; round < 3; round += 1) {
      cases.push(...(await underWay(system)));
      await postgres.stopAtOnce();
      await postgres.start();
      const seen = await eventsSoFar(system);
      await until(async () => (await eventsSoFar(system)) > seen, { timeoutMs: BACK_WITHIN_MS, intervalMs: 20 });
    }
    await expectAllCharged(system, cases);
    expect(system.processes().map(({ child }) => child.pid)).toEqual(before);
  });
}

/** Jobs that have been accepted, and take a wrong answer and a slow one. */
async function underWay(system: System): Promise<readonly Case[]> {
  const type = await publish(system, {
    cascade: [step("fast", { attempts_max: 2, ...QUICK }), step("standard", QUICK)],
  });
  const steps = [answer(WRONG), late(200)];
  return await Promise.all(Array.from({ length: BACKLOG }, () => submit(system, { type, steps })));
}

async function expectAllCharged(system: System, cases: readonly Case[]): Promise<void> {
  await Promise.all(
    cases.map(async (it) => {
      const job = await it.closed();
      expect(job.resolution).toBe("success");
      await expectCharged(system, it, job);
      expect(nanosOf(job.cost)).toBeGreaterThanOrEqual(it.bill());
    }),
  );
}

async function eventsSoFar({ pool }: System): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({ text: "SELECT count(*)::int AS count FROM job_event" });
  return rows[0]?.count ?? 0;
}

async function dropAllConnections(system: System): Promise<void> {
  await system.pool
    .query({
      text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    })
    .catch(() => undefined);
}
