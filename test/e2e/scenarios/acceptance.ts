/** Outcomes that are the customer's only when the customer, or a silence, says so; and what becomes of rejected ones. */
import { newId } from "@contingent/db/ids";
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { answer, type Case, type CaseOptions, submit } from "../support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../support/expectations.ts";
import { untilState } from "../support/jobs.ts";
import { RIGHT, step, type TypeChanges, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** Long enough to look at a job before it is over, and soon over. */
const SHORT_MS = 2_500;
/** Longer than any test. */
const LONG_MS = 600_000;
const EXPLICIT = { mode: "explicit", until_ms: LONG_MS };
const OTHER_RIGHT = { a: 20, b: 30, net: 50, tax: 10, gross: 60 };

export function acceptanceTests(system: GetSystem): void {
  /** A job whose outcome has been handed over. */
  async function delivered(terms: TypeChanges, options: CaseOptions = {}): Promise<Case> {
    const it = await submit(system(), { ...options, terms });
    await untilState(system(), it.id, "awaiting_acceptance");
    return it;
  }

  test.concurrent("silence accepts where the type says so: the outcome is shown at once and charged when the window is over", async () => {
    const it = await delivered({ acceptance: { mode: "window", duration_ms: SHORT_MS, on_silence: "accept" } });
    const shown = await it.now();
    expect(shown).toMatchObject({
      state: "awaiting_acceptance",
      output: RIGHT,
      score: 1,
      billable: false,
      price: null,
    });
    const job = await it.closed();
    expect(job).toMatchObject({
      resolution: "success",
      reason: "accepted_by_silence",
      output: RIGHT,
      settles_at: null,
    });
    expect(Date.parse(job.closed_at ?? "")).toBeGreaterThanOrEqual(Date.parse(shown.settles_at ?? ""));
    await expectCharged(system(), it, job);
  });

  test.concurrent("silence releases where it does not: nothing is charged and nothing handed over", async () => {
    const it = await delivered({ acceptance: { mode: "explicit", until_ms: SHORT_MS } });
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "lapsed");
    expectCostAsBilled(it, job);
    expect(it.requests()).toHaveLength(1);
  });

  test.concurrent("an outcome that the customer accepts is charged at once, however long the window", async () => {
    const it = await delivered({ acceptance: EXPLICIT });
    expect((await it.decide({ decision: "accept" })).status).toBe(200);
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", reason: "accepted", output: RIGHT });
    await expectCharged(system(), it, job);
    expect((await it.decide({ decision: "reject", reason: "I have changed my mind." })).status).toBe(409);
    expect(await system().operator.jobInFull(it.id)).toEqual(job);
  });

  test.concurrent("an outcome that the customer rejects is free, and tried no more", async () => {
    const it = await delivered({ acceptance: EXPLICIT });
    expect((await it.decide({ decision: "reject", reason: "It is not what I meant." })).status).toBe(200);
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "rejected");
    expectCostAsBilled(it, job);
    expect(nanosOf(job.cost)).toBeGreaterThan(0n);
    expect(it.requests()).toHaveLength(1);
  });

  test.concurrent("with rework the next attempt is told why, and only its outcome is charged, once", async () => {
    const reason = `These are not my numbers (${newId("req")}).`;
    // It is asked first, and fits only a prompt that holds the reason.
    system().simulator.script({ match: reason, steps: [answer(OTHER_RIGHT)] });
    const it = await delivered({ acceptance: EXPLICIT, rework: true });
    const rejection = { decision: "reject", reason };
    expect((await it.decide(rejection)).body).toMatchObject({ resolution: null, output: null });
    await untilState(system(), it.id, "awaiting_acceptance");
    expect(await it.now()).toMatchObject({ output: OTHER_RIGHT });
    expect((await it.decide({ decision: "accept" })).status).toBe(200);

    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", reason: "accepted", output: OTHER_RIGHT, attempts: 2 });
    await expectCharged(system(), it, job);
    // Both attempts cost; one is charged.
    expectCostAsBilled(it, job);
    expect(it.requests().map((request) => request.findings)).toEqual([0, 1]);
    expect(await storyOf(it)).toEqual([
      "job.accepted",
      "attempt.started",
      "attempt.answered",
      "job.delivered",
      "job.reopened",
      "attempt.started",
      "attempt.answered",
      "job.delivered",
      "job.resolved",
      "job.closed",
    ]);
  });

  test.concurrent("a rework that fails is free: what was rejected before is not charged in its place", async () => {
    const terms = { acceptance: EXPLICIT, rework: true, cascade: [step("fast", { attempts_max: 2 })] };
    const it = await delivered(terms, { steps: [answer(RIGHT), answer(WRONG)] });
    expect((await it.decide({ decision: "reject", reason: "No." })).status).toBe(200);
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "exhausted");
    expectCostAsBilled(it, job);
    expect(job.attempts).toBe(2);
  });
}
