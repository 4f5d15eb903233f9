/**
 * kill -9 of a worker: after its claim, with an answer in its hands, and after its commit. A call that may have been made
 * counts as spent, the job is taken up again, and nothing is charged twice. (Before its claim: f04.)
 */
import { LEASE_GRACE_MS } from "@contingent/core/job/moves";
import type { System } from "@contingent/testkit/system";
import { expect, test } from "vitest";
import { nanosOf } from "../../e2e/support/bills.ts";
import { bookedFor } from "../../e2e/support/books.ts";
import { submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, storyOf } from "../../e2e/support/expectations.ts";
import { positionOf, wakeNow } from "../../e2e/support/jobs.ts";
import { OPUS, SONNET, step } from "../../e2e/support/sums.ts";
import { armToDie, untilDead } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

/** The lease ends 5 s after this, and a slow machine takes its time for a call. */
const CALL_TIMEOUT_MS = 1_500;
/** After the lease: a look of the sweeper. Less than a tenth of this, and on any machine sooner than a lost holder is missed. */
const TAKEN_AWAY_WITHIN_MS = 3_000;

export function workerKilled(get: GetWorld): void {
  test("after its claim, or with the answer in its hands: the call counts as spent, and the job goes on when the lease has ended", async () => {
    const { system } = get();
    armToDie(system, "worker-standard-1", "worker.claimed");
    armToDie(system, "worker-premium-1", "worker.answered");
    const quick = { attempts_max: 1, timeout_ms: CALL_TIMEOUT_MS };
    const claimed = await submit(system, { terms: { cascade: [step("standard", quick)] } });
    const answered = await submit(system, { terms: { cascade: [step("premium", quick)] } });
    const dead = ["worker-standard-1", "worker-premium-1"];
    await Promise.all(dead.map((name) => untilDead(system, name)));
    expect(claimed.requests()).toEqual([]);
    expect(answered.billed()).toHaveLength(1);
    await Promise.all(dead.map((name) => system.restart(name)));

    const after = { claimed: await claimed.closed(), answered: await answered.closed() };
    // Being lost is not an attempt of the tier, which has only one.
    expect(attemptsOf(after.claimed)).toEqual([`standard ${SONNET} lost`, `standard ${SONNET} answered`]);
    expect(attemptsOf(after.answered)).toEqual([`premium ${OPUS} lost`, `premium ${OPUS} answered`]);
    expect(answered.billed()).toHaveLength(2);
    for (const [it, job] of [[claimed, after.claimed] as const, [answered, after.answered] as const]) {
      await expectCharged(system, it, job);
      const [lost, second] = job.attempt_list ?? [];
      expect(nanosOf(lost?.cost ?? null)).toBeGreaterThan(0n);
      expect((await bookedFor(system, it.id)).keys).toContain(`cost:${lost?.id}:estimated`);
      expect(nanosOf(job.cost)).toBe(nanosOf(lost?.cost ?? null) + nanosOf(second?.cost ?? null));
      expect(await heldForMs(system, it.id)).toBeLessThan(CALL_TIMEOUT_MS + LEASE_GRACE_MS + TAKEN_AWAY_WITHIN_MS);
    }
  });

  test("after its commit: the answer is there, and is judged", async () => {
    const { system } = get();
    armToDie(system, "worker-standard-1", "worker.committed");
    const it = await submit(system, { terms: { cascade: [step("standard", { attempts_max: 1 })] } });
    await untilDead(system, "worker-standard-1");
    expect((await positionOf(system, it.id)).state).toBe("validating");
    // Nobody of this tier is needed any more.
    await wakeNow(system, [it.id]);
    const job = await it.closed();
    await system.restart("worker-standard-1");
    expect(await storyOf(it)).toEqual(UNDISTURBED);
    expect(it.requests()).toHaveLength(1);
    await expectCharged(system, it, job);
    expectCostAsBilled(it, job);
  });
}

/** From the start of the attempt that was lost to the moment at which it was taken away, by the database's clock. */
async function heldForMs({ pool }: System, id: string): Promise<number> {
  const { rows } = await pool.query<{ ms: number }>({
    text: `SELECT (extract(epoch FROM ended_at - started_at) * 1000)::float8 AS ms
             FROM attempt WHERE job_id = $1 AND outcome = 'lost'`,
    values: [id],
  });
  return rows[0]?.ms ?? Number.NaN;
}
