/**
 * kill -9 at the worst moments: between claiming, answering, deciding and committing. A job whose holder died is taken up
 * again; a call that may have been made counts as spent; nothing is charged twice.
 */
import type { System } from "@contingent/testkit/system";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { bookedFor } from "../../e2e/support/books.ts";
import { type Case, newMarker, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { positionOf, wakeNow } from "../../e2e/support/jobs.ts";
import { HAIKU, RIGHT, SONNET, step } from "../../e2e/support/sums.ts";
import { armToDie, type GetBreakable, untilDeadThenRestart } from "../support/breakable.ts";

const UNDISTURBED = ["job.accepted", "attempt.started", "attempt.answered", "job.resolved", "job.closed"];
const WORKER = "worker-standard-1";
const ORDERS = 60;

export function killTests(get: GetBreakable): void {
  const onStandard = { cascade: [step("standard", { attempts_max: 1 })] };

  test("a worker that dies before its call: the attempt counts as spent, another one succeeds", async () => {
    const { system } = get();
    await armToDie(system, WORKER, "worker.claimed");
    const it = await submit(system, { terms: onStandard });
    await untilDeadThenRestart(system, WORKER);
    expect((await positionOf(system, it.id)).state).toBe("attempting");
    expect(it.requests()).toEqual([]);
    await wakeNow(system, [it.id]);
    const job = await it.closed();
    // Being lost is not an attempt of the tier, which has only one.
    expect(attemptsOf(job)).toEqual([`standard ${SONNET} lost`, `standard ${SONNET} answered`]);
    await expectCharged(system, it, job);
    const [lost, answered] = job.attempt_list ?? [];
    expect(nanosOf(lost?.cost ?? null)).toBeGreaterThan(0n);
    expect(nanosOf(answered?.cost ?? null)).toBe(it.bill());
  });

  test("a worker that dies with the answer in its hands: the call is made again, both are paid for, one is charged", async () => {
    const { system } = get();
    await armToDie(system, WORKER, "worker.answered");
    const it = await submit(system, { terms: onStandard });
    await untilDeadThenRestart(system, WORKER);
    expect(it.billed()).toHaveLength(1);
    await wakeNow(system, [it.id]);
    const job = await it.closed();
    expect(attemptsOf(job)).toEqual([`standard ${SONNET} lost`, `standard ${SONNET} answered`]);
    expect(it.billed()).toHaveLength(2);
    await expectCharged(system, it, job);
    expect(nanosOf(job.cost)).toBeGreaterThanOrEqual(it.bill());
    expect((await bookedFor(system, it.id)).keys).toContain(`cost:${job.attempt_list?.[0]?.id}:estimated`);
  });

  test("a worker that dies after its commit: the answer is there, and is judged", async () => {
    const { system } = get();
    await armToDie(system, WORKER, "worker.committed");
    const it = await submit(system, { terms: onStandard });
    await untilDeadThenRestart(system, WORKER);
    expect((await positionOf(system, it.id)).state).toBe("validating");
    await wakeNow(system, [it.id]);
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    expect(it.requests()).toHaveLength(1);
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });

  test("a validator that dies after its commit: one verdict, one charge", async () => {
    const { system } = get();
    await armToDie(system, "validator", "validator.committed");
    const it = await submit(system);
    await untilDeadThenRestart(system, "validator");
    expect((await positionOf(system, it.id)).state).toBe("settling");
    await wakeNow(system, [it.id]);
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });

  test("a validator that dies with a judge's reply in its hands: asked again, both are paid for, one verdict, one charge", async () => {
    const { system } = get();
    const judge = { rubric: "The sums are right.", models: [SONNET], cost_max: "0.02", canaries: { rate: 0 } };
    const check = { use: "arithmetic", options: { sums: [{ total: "/net", parts: ["/a", "/b"] }] } };
    const validator = { all: [check, { use: "llm_judge", options: judge }] };
    const type = await publish(system, { cascade: [step("fast")], validator });
    system.simulator.script({ match: `The task is "${type}"`, steps: ["right"], afterwards: "last" });
    await armToDie(system, "validator", "validator.replied");
    const it = await submit(system, { type });
    await untilDeadThenRestart(system, "validator");
    expect((await inquiriesOf(system, it)).map(({ outcome }) => outcome)).toEqual([null]);
    // As if the judge's time were over.
    await system.pool.query("UPDATE job SET ready_at = now(), wake_at = now() WHERE id = $1", [it.id]);
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", output: RIGHT, attempts: 1 });
    await expectCharged(system, it, job);
    const [lost, told, ...others] = await inquiriesOf(system, it);
    expect(others).toEqual([]);
    expect(lost).toMatchObject({ outcome: "broke", cost_state: "presumed" });
    expect(told).toMatchObject({ outcome: "replied", cost_state: "known" });
    expect(nanosOf(job.cost)).toBe(it.bill() + (lost?.cost_nanos ?? 0n) + (told?.cost_nanos ?? 0n));
    expect((await bookedFor(system, it.id)).keys).toEqual(
      expect.arrayContaining([`cost:${lost?.id}:estimated`, `cost:${told?.id}:reported`]),
    );
  });

  test("a ledger that dies after its commit: the job is closed, and charged once", async () => {
    const { system } = get();
    await armToDie(system, "ledger", "ledger.committed");
    const it = await submit(system);
    await untilDeadThenRestart(system, "ledger");
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    await expectCharged(system, it, job);
  });

  test("a validator and a ledger that die before their commits: their messages are delivered again", async () => {
    const { system } = get();
    await armToDie(system, "validator", "validator.judged");
    const first = await submit(system);
    await untilDeadThenRestart(system, "validator");
    expect((await positionOf(system, first.id)).state).toBe("validating");
    await armToDie(system, "ledger", "ledger.decided");
    const second = await submit(system);
    await untilDeadThenRestart(system, "ledger");
    expect((await positionOf(system, second.id)).state).toBe("settling");
    // Nobody wakes them: the transport itself notices that the consumers are gone.
    for (const it of [first, second]) {
      const job = await it.closed();
      expect(job).toMatchObject({ resolution: "success", output: RIGHT });
      expect(await storyOf(it)).toEqual(UNDISTURBED);
      expect(it.requests().map(({ model }) => model)).toEqual([HAIKU]);
      await expectCharged(system, it, job);
      expectCostAsBilled(it, job);
    }
  });

  test("an API that dies between accepting a job and saying so: asked again, it names that very job", async () => {
    const { system } = get();
    const type = await publish(system);
    await armToDie(system, "intake", "intake.accepted");
    const request = { type, marker: newMarker(), headers: { "idempotency-key": `"${newMarker()}"` } };
    await expect(submit(system, request)).rejects.toThrow("fetch failed");
    await untilDeadThenRestart(system, "intake");
    const it = await submit(system, request);
    const { rows } = await system.pool.query<{ id: string }>({
      text: "SELECT id FROM job WHERE outcome_type = $1",
      values: [type],
    });
    expect(rows).toEqual([{ id: it.id }]);
    // Nobody was told of the job, and nobody needed to be.
    await wakeNow(system, [it.id]);
    await expectCharged(system, it, await it.closed());
    expect(await storyOf(it)).toEqual(UNDISTURBED);
  });

  test("an API that dies while it is taking orders has forgotten none that it confirmed", async () => {
    const { system } = get();
    const type = await publish(system);
    const markers = Array.from({ length: ORDERS }, () => newMarker());
    const order = (marker: string): Promise<Case> => submit(system, { type, marker, outcomeKey: `order-${marker}` });
    const placed = await Promise.allSettled(
      markers.map(async (marker, n) => {
        const it = await order(marker);
        if (n === ORDERS / 4) await system.kill("intake");
        return it;
      }),
    );
    const confirmed = placed.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    expect(confirmed.length).toBeGreaterThan(0);
    await system.restart("intake");
    // A client that got no answer asks again, for all of them to be sure. None is made twice.
    const again = await Promise.all(markers.map(order));
    const ids = again.map((it) => it.id);
    expect(new Set(ids).size).toBe(ORDERS);
    for (const it of confirmed) expect(ids).toContain(it.id);
    // Those whose message was lost; an attempt that runs is not to be disturbed.
    await wakeNow(system, ids, ["queued"]);
    for (const it of again) {
      const job = await it.closed();
      expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
      await expectCharged(system, it, job);
      expect(it.requests()).toHaveLength(1);
    }
  });
}

interface InquiryRow {
  readonly id: string;
  readonly outcome: string | null;
  readonly cost_state: string;
  readonly cost_nanos: bigint;
}

/** Whom the job has asked, in that order. */
async function inquiriesOf(system: System, it: Case): Promise<readonly InquiryRow[]> {
  const { rows } = await system.pool.query<InquiryRow>({
    text: "SELECT id, outcome, cost_state, cost_nanos FROM inquiry WHERE job_id = $1 ORDER BY opened_at",
    values: [it.id],
  });
  return rows;
}
