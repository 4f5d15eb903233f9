/** More than one worker, more than one job. */
import type { StepInput } from "@contingent/simulator/server";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { answer, held, late, publish, submit } from "../support/cases.ts";
import { HALF, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

const BURST = 100;
/** What the provider does with the jobs of a burst, in turn. */
const MIXTURE: readonly (readonly StepInput[])[] = [
  [],
  [answer(WRONG)],
  ["overloaded"],
  ["refuse"],
  ["truncate"],
  ["garbage", answer(WRONG)],
  [late(50)],
  ["refuse", "refuse"],
  [answer(WRONG), answer(WRONG), answer(WRONG), answer(WRONG), answer(WRONG), answer(WRONG)],
  [answer(HALF), "server_error"],
];
/** Those of the mixture that nobody gets right. */
const HOPELESS = 2;

export function scaleTests(system: GetSystem): void {
  test("a burst of jobs of every kind: one charge for each success, none for a failure, every cost as billed", async () => {
    const type = await publish(system());
    const cases = await Promise.all(
      Array.from({ length: BURST }, (_, n) => submit(system(), { type, steps: MIXTURE[n % MIXTURE.length] ?? [] })),
    );
    const jobs = await Promise.all(cases.map((it) => it.closed()));
    const successes = jobs.filter((job) => job.resolution === "success");
    expect(successes).toHaveLength((BURST * (MIXTURE.length - HOPELESS)) / MIXTURE.length);

    const { rows } = await system().pool.query<{ job_id: string }>({
      text: "SELECT job_id FROM charge WHERE job_id = ANY($1)",
      values: [jobs.map((job) => job.id)],
    });
    expect(rows.map((row) => row.job_id).toSorted()).toEqual(successes.map((job) => job.id).toSorted());
    const costs = jobs.map((job) => job.cost.amount);
    expect(costs.filter((amount) => amount === "0.00")).toEqual([]);
    const bill = cases.reduce((total, it) => total + it.bill(), 0n);
    const { rows: booked } = await system().pool.query<{ cost: string }>({
      text: `SELECT sum(p.amount_nanos)::text AS cost FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
              WHERE p.account_class = 'cogs' AND t.job_id = ANY($1)`,
      values: [jobs.map((job) => job.id)],
    });
    expect(BigInt(booked[0]?.cost ?? "0")).toBe(bill);
  });

  test("two workers of a tier share its queue, each taking no more than it may", async () => {
    // One at a time each, so that two calls at once mean two workers.
    await Promise.all(
      ["worker-premium-1", "worker-premium-2"].map((name) => system().restart(name, { CONCURRENCY: "1" })),
    );
    const type = await publish(system(), { cascade: [step("premium")] });
    const cases = await Promise.all(
      Array.from({ length: 4 }, () => submit(system(), { type, steps: [held("shared")] })),
    );
    const { simulator } = system();
    let released = 0;
    while (released < cases.length) {
      const expected = Math.min(2, cases.length - released);
      await until(() => simulator.held("shared") === expected, {
        timeoutMs: 20_000,
        intervalMs: 5,
        what: `${expected} calls at once`,
      });
      released += simulator.release("shared");
    }
    const jobs = await Promise.all(cases.map((it) => it.closed()));
    expect(jobs.map((job) => job.resolution)).toEqual(["success", "success", "success", "success"]);
    expect(cases.flatMap((it) => it.requests())).toHaveLength(4);
  });
}
