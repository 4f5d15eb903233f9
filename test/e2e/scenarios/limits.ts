/** What a job may cost and how long it may take, and who may stop it. */
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { bookedFor, reserveOf } from "../support/books.ts";
import { answer, held, settle, submit } from "../support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../support/expectations.ts";
import { AT_ONCE, HAIKU, OPUS, RIGHT, SONNET, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** Longer than any test: a job that waits so long does not go on by itself. */
const FOR_EVER = { initial_delay_ms: 600_000, multiplier: 1, jitter: 0, delay_max_ms: 600_000 };

export function costCapTests(system: GetSystem): void {
  test.concurrent("where the cost cap leaves room, no tokens are counted and no room is taken away", async () => {
    const { it } = await settle(system());
    expect(it.counts()).toEqual([]);
    expect(it.requests().map((request) => request.max_tokens)).toEqual([256]);
  });

  test.concurrent("where it does not, the prompt is counted and the answer gets the room that is left", async () => {
    const terms = { cascade: [step("standard")], cost_cap: "0.002" };
    const { it, job } = await settle(system(), { terms });
    expect(it.counts()).toHaveLength(1);
    const room = it.requests()[0]?.max_tokens ?? 0;
    expect(room).toBeGreaterThanOrEqual(64);
    expect(room).toBeLessThan(256);
    // The worst case of the call is within the cap, and close to it.
    const reserve = await reserveOf(system(), job.attempt_list?.[0]?.id ?? "");
    expect(reserve).toBeLessThanOrEqual(2_000_000n);
    expect(reserve).toBeGreaterThan(2_000_000n - 10_000n);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  test.concurrent("a job stops when the next attempt might exceed the cap, and never does exceed it", async () => {
    const terms = { cascade: [step("standard", { attempts_max: 20 })], cost_cap: "0.003" };
    const steps = Array.from({ length: 20 }, () => answer(WRONG));
    const { it, job } = await settle(system(), { terms, steps });
    await expectUnbilled(system(), it, job, "cost_cap");
    expect(job.attempts).toBeGreaterThan(1);
    expect(job.attempts).toBeLessThan(20);
    expectCostAsBilled(it, job);
    expect(it.bill()).toBeLessThanOrEqual(3_000_000n);
    // Each call had less room than the one before it.
    const rooms = it.requests().map((request) => request.max_tokens ?? 0);
    expect(rooms).toEqual(rooms.toSorted((a, b) => b - a));
  });

  test.concurrent("a tier that does not fit the cap is passed over for a cheaper one", async () => {
    const terms = {
      cascade: [step("premium"), step("fast")],
      cost_cap: "0.001",
      output_tokens: { start: 256, min: 40, max: 1_024 },
    };
    const { it, job } = await settle(system(), { terms });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
    expect((await it.events()).find(({ type }) => type === "job.rerouted")?.data).toMatchObject({ cause: "cost_cap" });
    expect(it.requests().some(({ model }) => model === OPUS)).toBe(false);
    await expectCharged(system(), it, job);
  });

  test.concurrent("a call whose answer was lost counts against the cap at its worst case", async () => {
    // Two worst cases do not fit, though what the calls really cost would.
    const quick = { timeout_ms: 300, attempts_max: 1, models: [SONNET] };
    const terms = {
      cascade: [step("fast", quick), step("standard", quick)],
      cost_cap: "0.0033",
      output_tokens: { start: 256, min: 256, max: 256 },
    };
    const { it, job } = await settle(system(), { terms, steps: ["hang"] });
    expect(attemptsOf(job)).toEqual([`fast ${SONNET} timeout`]);
    await expectUnbilled(system(), it, job, "cost_cap");
    expect(nanosOf(job.cost)).toBeLessThanOrEqual(3_300_000n);
    expect(it.bill()).toBeLessThan(nanosOf(job.cost));
  });
}

export function deadlineTests(system: GetSystem): void {
  test.concurrent("a job that waits for its next attempt ends at its deadline", async () => {
    const cascade = [step("fast", { attempts_max: 2, retry: FOR_EVER, timeout_ms: 300 })];
    const { it, job } = await settle(system(), { terms: { cascade, deadline_ms: 1_000 }, steps: [answer(WRONG)] });
    await expectUnbilled(system(), it, job, "deadline");
    expect(Date.parse(job.closed_at ?? "")).toBeGreaterThanOrEqual(Date.parse(job.deadline_at));
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
    expectCostAsBilled(it, job);
  });

  test.concurrent("a call that runs at the deadline is given up, and counts as spent", async () => {
    const cascade = [step("fast", { attempts_max: 2 })];
    const { it, job } = await settle(system(), { terms: { cascade, deadline_ms: 3_000 }, steps: ["hang"] });
    await expectUnbilled(system(), it, job, "deadline");
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} timeout`]);
    expect(nanosOf(job.cost)).toBe(await reserveOf(system(), job.attempt_list?.[0]?.id ?? ""));
  });
}

export function cancelTests(system: GetSystem): void {
  test.concurrent("a job that waits for its next attempt can be canceled, and nothing more is tried", async () => {
    const cascade = [step("fast", { attempts_max: 2, retry: FOR_EVER })];
    const it = await submit(system(), { terms: { cascade }, steps: [answer(WRONG)] });
    await until(async () => (await it.now()).findings.length > 0, { timeoutMs: 10_000, what: "the first verdict" });
    const canceled = await it.cancel();
    expect(canceled.status).toBe(200);
    expect(canceled.body).toMatchObject({ id: it.id, resolution: "failure", reason: "canceled" });
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "canceled");
    expect(it.requests()).toHaveLength(1);
    expectCostAsBilled(it, job);
  });

  test.concurrent("a job can be canceled during a call; what the answer costs is booked when it comes, and no more", async () => {
    const cascade = [step("fast", { retry: AT_ONCE })];
    const it = await submit(system(), { terms: { cascade }, steps: [held("canceled-call")] });
    await it.reached("held");
    expect((await it.cancel()).status).toBe(200);
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "canceled");
    const attempt = job.attempt_list?.[0]?.id ?? "";
    // Until the answer comes, the call counts at its worst case.
    expect(nanosOf(job.cost)).toBe(await reserveOf(system(), attempt));
    expect((await bookedFor(system(), it.id)).keys).toContain(`cost:${attempt}:estimated`);

    expect(system().simulator.release("canceled-call")).toBe(1);
    await until(async () => (await bookedFor(system(), it.id)).keys.includes(`cost:${attempt}:reported`), {
      timeoutMs: 10_000,
      what: "the late cost in the books",
    });
    const after = await system().operator.jobInFull(it.id);
    expect(nanosOf(after.cost)).toBe(it.bill());
    expect((await bookedFor(system(), it.id)).cost).toBe(it.bill());
    // Nothing else has changed: no output, no verdict, no event.
    expect(after).toMatchObject({ resolution: "failure", reason: "canceled", output: null, billable: false });
    expect(after.attempt_list).toMatchObject([{ outcome: "canceled", verdict: null }]);
    expect(await storyOf(it)).toEqual(["job.accepted", "attempt.started", "job.resolved", "job.closed"]);
  });

  test.concurrent("canceling twice is the same as once", async () => {
    const cascade = [step("fast", { attempts_max: 2, retry: FOR_EVER })];
    const it = await submit(system(), { terms: { cascade }, steps: [answer(WRONG)] });
    const first = await it.cancel();
    const second = await it.cancel();
    expect([first.status, second.status]).toEqual([200, 200]);
    expect((await it.closed()).reason).toBe("canceled");
  });

  test.concurrent("a job that is done cannot be canceled, and stays charged", async () => {
    const { it, job } = await settle(system());
    const answered = await it.cancel();
    expect(answered.status).toBe(409);
    expect(answered.body).toMatchObject({ error: { type: "conflict_error", code: "job_not_cancelable" } });
    expect(await system().operator.jobInFull(it.id)).toEqual(job);
    expect(job.output).toEqual(RIGHT);
    await expectCharged(system(), it, job);
  });
}
