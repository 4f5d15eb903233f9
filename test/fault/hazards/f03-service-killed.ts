/** kill -9 of the ledger and of the API, between commit and publish and in the middle of requests. 202 seen: the job exists. */
import { expect, test } from "vitest";
import { type Case, newMarker, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, storyOf } from "../../e2e/support/expectations.ts";
import { wakeNow } from "../../e2e/support/jobs.ts";
import { HAIKU } from "../../e2e/support/sums.ts";
import { armToDie, untilDeadThenRestart } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

const ORDERS = 40;

export function serviceKilled(get: GetWorld): void {
  test("a ledger that dies after its commit: the job is closed, and charged once", async () => {
    const { system } = get();
    armToDie(system, "ledger", "ledger.committed");
    const it = await submit(system);
    await untilDeadThenRestart(system, "ledger");
    const job = await it.closed();
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    await expectCharged(system, it, job);
  });

  test("an API that dies between accepting a job and saying so: asked again, it names that very job", async () => {
    const { system } = get();
    const type = await publish(system);
    armToDie(system, "intake", "intake.accepted");
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
    await Promise.all(
      again.map(async (it) => {
        const job = await it.closed();
        expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
        await expectCharged(system, it, job);
        expect(it.requests()).toHaveLength(1);
      }),
    );
  });
}
