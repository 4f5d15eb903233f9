/** Redis has no memory left, or is set to drop messages when it has none: an alarm, and all goes on when it is over. */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { type Case, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled } from "../../e2e/support/expectations.ts";
import { processOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";
import type { World } from "../harness/world.ts";

const ORDERS = 5;
const SOON = { intervalMs: 20 };

export function redisFull(get: GetWorld): void {
  test("without memory the alarm is raised and jobs are accepted; with it they go on", async () => {
    const { system, redis } = get();
    const before = alarms(system);
    const ordered: Case[] = [];
    await withSetting(redis, "maxmemory", "1", async () => {
      for (let order = 0; order < ORDERS; order += 1) ordered.push(await submit(system));
      await until(() => alarms(system) > before, { ...SOON, what: "the alarm" });
      await until(async () => !(await isReady(system)), { ...SOON, what: "the ledger not to be ready" });
    });
    for (const it of ordered) {
      const job = await it.closed();
      await expectCharged(system, it, job);
      expectCostAsBilled(it, job);
    }
  });

  test("a policy that drops messages is noticed while the services run", async () => {
    const { system, redis } = get();
    const before = alarms(system);
    await withSetting(redis, "maxmemory-policy", "allkeys-lru", async () => {
      await until(() => alarms(system) > before, { ...SOON, what: "the alarm" });
      expect(system.log("ledger")).toContain("CONFIG SET maxmemory-policy noeviction");
      await until(async () => !(await isReady(system)), { ...SOON, what: "the ledger not to be ready" });
    });
    await until(() => isReady(system), { ...SOON, what: "the ledger to be ready" });
  });
}

/** With another setting of Redis for as long as the work takes. */
async function withSetting(
  redis: World["redis"],
  name: string,
  value: string,
  work: () => Promise<void>,
): Promise<void> {
  if (redis === null) throw new Error("there is no Redis");
  const admin = new Redis(redis.url);
  const [, before = ""] = await admin.config("GET", name);
  try {
    await admin.config("SET", name, value);
    await work();
  } finally {
    await admin.config("SET", name, before);
    admin.disconnect();
  }
}

function alarms(system: System): number {
  return system.log("ledger").split("ALARM: the queue transport fails").length - 1;
}

async function isReady(system: System): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${processOf(system, "ledger").port}/readyz`);
  await answer.body?.cancel();
  return answer.ok;
}
