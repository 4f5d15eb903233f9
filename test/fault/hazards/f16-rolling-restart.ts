/** SIGTERM under load, one service after the other, as in a rolling restart. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { type Case, held, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled } from "../../e2e/support/expectations.ts";
import { step } from "../../e2e/support/sums.ts";
import { processOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

const LOAD = 12;

export function rollingRestart(get: GetWorld): void {
  test("a rolling restart loses nothing, repeats no call and presumes no cost", async () => {
    const { system } = get();
    const { simulator } = system;
    const type = await publish(system, { cascade: [step("fast"), step("standard")] });
    const cases: Case[] = [];
    for (const name of ["intake", "worker-fast-1", "validator", "ledger", "worker-fast-2"]) {
      // A load of its own for each of them. Every call is under way when it is told to stop, and is answered afterwards.
      const load = Array.from({ length: LOAD }, () => submit(system, { type, steps: [held(name)] }));
      cases.push(...(await Promise.all(load)));
      await until(() => simulator.held(name) === LOAD, { timeoutMs: 20_000, intervalMs: 5, what: "every call" });
      const { child } = processOf(system, name);
      child.send("SIGTERM");
      await until(() => system.log(name).includes('"draining"'), {
        timeoutMs: 5_000,
        intervalMs: 5,
        what: "the drain",
      });
      simulator.release(name);
      expect(await child.exited, `how ${name} ended`).toEqual({ code: 0, signal: null });
      await system.restart(name);
    }
    for (const it of cases) {
      const job = await it.closed();
      expect(job.attempt_list?.map((attempt) => attempt.outcome)).toEqual(["answered"]);
      expect(it.requests()).toHaveLength(1);
      expectCostAsBilled(it, job);
      await expectCharged(system, it, job);
    }
  });
}
