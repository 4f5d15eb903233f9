/** kill -9 of the validator: with a judge's reply in its hands, and after its commit. One verdict, one charge. */
import type { System } from "@contingent/testkit/system";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { bookedFor } from "../../e2e/support/books.ts";
import { type Case, publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { positionOf, wakeNow } from "../../e2e/support/jobs.ts";
import { RIGHT, step } from "../../e2e/support/sums.ts";
import { armToDie, instanceOf, untilDeadThenRestart } from "../harness/processes.ts";
import { JUDGED, judgeOf } from "../harness/judged.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

export function validatorKilled(get: GetWorld): void {
  test("a validator that dies after its commit: one verdict, one charge", async () => {
    const { system } = get();
    armToDie(system, "validator", "validator.committed");
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
    const type = await publish(system, { cascade: [step("fast")], validator: JUDGED });
    system.simulator.script({ match: judgeOf(type), steps: ["right"], afterwards: "last" });
    armToDie(system, "validator", "validator.replied");
    const dead = instanceOf(system, "validator");
    const it = await submit(system, { type });
    await untilDeadThenRestart(system, "validator");
    expect((await inquiriesOf(system, it)).map(({ outcome }) => outcome)).toEqual([null]);
    // The judge's time is not over. As if the process had not been seen for as long as the dead are waited for (f06 waits).
    await system.pool.query("UPDATE holder SET seen_at = now() - interval '11 s' WHERE id = $1", [dead]);
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
