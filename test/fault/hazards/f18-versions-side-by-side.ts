/**
 * An old and a new version side by side, as during a deployment: messages of an earlier version and of a later one are taken
 * for what they say, and those that nobody can read take nothing with them. (What earlier versions have stored, and what
 * their processes say to this schema: test/versions.)
 */
import { expect, test } from "vitest";
import { publish, submit } from "../../e2e/support/cases.ts";
import { expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { positionOf, untilState, wakeNow } from "../../e2e/support/jobs.ts";
import { sendAsIs } from "../../e2e/support/queues.ts";
import { step } from "../../e2e/support/sums.ts";
import { FAST_WORKERS, stopOrderly } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

const DROPPED = '"msg":"message dropped: malformed"';

export function versionsSideBySide(get: GetWorld): void {
  test("messages of an earlier and of a later version are understood, and such as nobody can read are dropped, counted and do no harm", async () => {
    const { system } = get();
    const type = await publish(system, { cascade: [step("fast")] });
    for (const name of FAST_WORKERS) await stopOrderly(system, name);
    const cases = await Promise.all([submit(system, { type }), submit(system, { type })]);
    const [earlier, later] = await Promise.all(
      cases.map(async ({ id: jobId }) => ({ jobId, revision: (await positionOf(system, jobId)).revision })),
    );
    await sendAsIs(system, "attempt.fast", [
      { nothing: "that this version knows" },
      { jobId: "of another form", revision: 1 },
      { ...earlier, revision: "1" },
      earlier,
      { ...later, traceparent: "of a later form", attempts: { at_most: 7 }, queue: "another" },
    ]);
    const [worker = ""] = FAST_WORKERS;
    await Promise.all(FAST_WORKERS.map((name) => system.restart(name)));
    for (const it of cases) {
      const job = await it.closed();
      expect(await storyOf(it)).toEqual(UNDISTURBED);
      expect(it.requests()).toHaveLength(1);
      await expectCharged(system, it, job);
      expectCostAsBilled(it, job);
    }
    const dropped = FAST_WORKERS.map((name) => system.log(name).split(DROPPED).length - 1);
    expect(dropped.reduce((sum, each) => sum + each)).toBe(3);
    expect(system.log(worker)).not.toContain("that this version knows");
  });

  test("what an earlier version has written of a job's progress is read, and the job goes on", async () => {
    const { system } = get();
    await system.kill("validator");
    const it = await submit(system, { terms: { cascade: [step("fast")] } });
    await untilState(system, it.id, "validating");
    // As it was before there were rework, inquiries and prices by value.
    await system.pool.query("UPDATE job SET progress = progress - 'reworkedAfter' - 'inquiry' WHERE id = $1", [it.id]);
    await system.restart("validator");
    await wakeNow(system, [it.id], ["validating"]);
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });
}
