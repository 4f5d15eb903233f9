/**
 * kill -9 of the validator, three times: after its commit, before it judges, and with a judge's reply in its hands; each time
 * with the same answer under way besides, as if that had done it.
 */
import type { DeadLetterInFullBody } from "@contingent/contracts/http/dead-letters";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { bookedFor } from "../../e2e/support/books.ts";
import { type Case, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../../e2e/support/expectations.ts";
import { positionOf, wakeNow } from "../../e2e/support/jobs.ts";
import { giveBack } from "../../e2e/support/queues.ts";
import { RIGHT, step } from "../../e2e/support/sums.ts";
import { JUDGED, judgeOf } from "../harness/judged.ts";
import { armToDie, instanceOf, pauseAt, untilDead } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

const TERMS = { cascade: [step("fast", { attempts_max: 1 })] };
/** Far enough for a person to decide instead, until it is moved. */
const DEADLINE_MS = 600_000;

export function validatorKilled(get: GetWorld): void {
  test("a validator that dies three times: what it had committed counts once, a reply that it lost is asked for again, and an answer that was under way each time becomes a dead letter, unbilled, that can be done once more", async () => {
    const { system } = get();
    const first = pauseAt(system, ["validator"], "validator.taken");
    const suspect = await submit(system, { terms: { ...TERMS, deadline_ms: DEADLINE_MS } });
    await first.reached();
    const committed = await diesAfterItsCommit(system);
    expect((await positionOf(system, committed.id)).state).toBe("settling");

    armToDie(system, "validator", "validator.taken");
    await restartsAndStrikes(system, suspect, 1);
    await diesWithMessages(system);

    const third = pauseAt(system, ["validator"], "validator.taken");
    await restartsAndStrikes(system, suspect, 2);
    await third.reached();
    const asked = await diesWithReply(system);

    // Too late for a person to decide instead.
    await system.pool.query("UPDATE job SET deadline_at = now() + interval '29 s' WHERE id = $1", [suspect.id]);
    await system.restart("validator");
    await expectDeadAndRedriven(system, suspect);
    await expectUndisturbed(system, committed);
    await expectAskedAgain(system, asked);
  });
}

/** Waits until the armed validator has died, and lets the transport give back what it had taken. */
async function diesWithMessages(system: System): Promise<void> {
  await untilDead(system, "validator");
  await giveBack(system, "validate");
}

async function diesAfterItsCommit(system: System): Promise<Case> {
  armToDie(system, "validator", "validator.committed");
  const it = await submit(system);
  await diesWithMessages(system);
  return it;
}

async function diesWithReply(system: System): Promise<Case> {
  const type = await publish(system, { ...TERMS, validator: JUDGED });
  system.simulator.script({ match: judgeOf(type), steps: ["right"], afterwards: "last" });
  armToDie(system, "validator", "validator.replied");
  const dead = instanceOf(system, "validator");
  const it = await submit(system, { type });
  await diesWithMessages(system);
  expect((await inquiriesOf(system, it)).map(({ outcome }) => outcome)).toEqual([null]);
  // The judge's time is not over. As if the process had not been seen for as long as the dead are waited for (f06 waits).
  await system.pool.query("UPDATE holder SET seen_at = now() - interval '11 s' WHERE id = $1", [dead]);
  return it;
}

/** The next validator begins with what is known of the death of the last one. */
async function restartsAndStrikes(system: System, { id }: Case, strikes: number): Promise<void> {
  await system.restart("validator");
  const text = "SELECT (progress ->> 'strikes')::int AS strikes FROM job WHERE id = $1";
  const counted = async (): Promise<number | undefined> =>
    (await system.pool.query<{ strikes: number }>({ text, values: [id] })).rows[0]?.strikes;
  await until(async () => (await counted()) === strikes, {
    what: `strike ${strikes} against ${id}`,
  });
  await system.pool.query("UPDATE job SET ready_at = now(), wake_at = now() WHERE id = $1", [id]);
}

async function expectDeadAndRedriven(system: System, it: Case): Promise<void> {
  await expectUnbilled(system, it, await it.closed(), "validator_error");
  expect(it.requests()).toHaveLength(1);
  const path = `/v1/dead-letters/${it.id}`;
  const letter = (await system.operator.send({ path })).body as DeadLetterInFullBody;
  expect(letter).toMatchObject({ state: "open", cause: "validator_error", attempts: 1 });
  expect(letter.faults.map(({ cause }) => cause)).toEqual(["validator_lost", "validator_lost", "validator_lost"]);
  const again = (await system.operator.send({ method: "POST", path: `${path}/redrive` })).body as DeadLetterInFullBody;
  const second = await system.api.closed(again.redriven_as ?? "");
  expect(second).toMatchObject({ resolution: "success", billable: true, redrive_of: it.id });
}

async function expectUndisturbed(system: System, it: Case): Promise<void> {
  await wakeNow(system, [it.id], ["settling"]);
  const job = await it.closed();
  expect(await storyOf(it)).toEqual(UNDISTURBED);
  await expectCharged(system, it, job);
  expectCostAsBilled(it, job);
}

async function expectAskedAgain(system: System, it: Case): Promise<void> {
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
