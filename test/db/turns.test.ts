/** Hazard: turns that are given by a count of open jobs which is not right, or not right any more. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { TURN_STEP_MS } from "@contingent/core/job/turn";
import { readAccounts } from "@contingent/db/account-lock";
import { checkBooks } from "@contingent/ledger/check-books";
import { customerWith } from "@contingent/testkit/customers";
import { acceptedJob, answer, claim, happens, judge, loadedJob, newJob, partsOf, take } from "@contingent/testkit/jobs";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

async function openJobs(customerId: CustomerId): Promise<number | undefined> {
  return (await readAccounts(db.pool, [customerId])).get(customerId)?.openJobs;
}

async function turnOf(id: JobId): Promise<number> {
  return (await loadedJob(db.pool, id)).job.turnAtMs;
}

test("jobs that are accepted together stand a step apart, and another customer's stands before all but the first", async () => {
  const [{ id: large }, { id: small }] = [await customerWith(db.pool), await customerWith(db.pool)];
  const backlog = await Promise.all(Array.from({ length: 100 }, () => acceptedJob(db.pool, { customerId: large })));
  expect(await openJobs(large)).toBe(100);
  const turns = (await Promise.all(backlog.map(turnOf))).toSorted((a, b) => a - b);
  const [first = 0] = turns;
  for (const [n, turn] of turns.entries()) expect(Math.abs(turn - first - n * TURN_STEP_MS)).toBeLessThan(TURN_STEP_MS);

  const turn = await turnOf(await acceptedJob(db.pool, { customerId: small }));
  // As many as there were seconds since.
  expect(turns.filter((earlier) => earlier < turn).length).toBeLessThan(50);
});

test("a job counts from its acceptance until it is closed, however it ends", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const charged = await acceptedJob(db.pool, { customerId });
  const failed = await acceptedJob(db.pool, { customerId });
  expect(await openJobs(customerId)).toBe(2);
  await take(db.pool, charged, claim(), answer(), judge("pass"));
  expect(await openJobs(customerId)).toBe(2);
  await take(db.pool, charged, happens("settled"));
  expect(await openJobs(customerId)).toBe(1);
  await take(db.pool, failed, happens("cancel"), happens("settled"));
  expect(await openJobs(customerId)).toBe(0);
});

test("a job that was asked for twice counts once", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const asked = { customerId, outcomeKey: "the one" };
  const [job, repeat] = [await newJob(db.pool, asked), await newJob(db.pool, asked)];
  const { accept } = partsOf(db.pool);
  await Promise.all([accept(job), accept(repeat)]);
  expect(await openJobs(customerId)).toBe(1);
});

test("a job keeps its turn through every attempt", async () => {
  const id = await acceptedJob(db.pool);
  const turn = await turnOf(id);
  for (const step of [claim(), answer(), judge("fail"), claim()]) {
    await take(db.pool, id, step);
    expect(await turnOf(id)).toBe(turn);
  }
});

test("what processes of an earlier version open and end is counted too", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const id = await acceptedJob(db.pool, { customerId });
  const before = await openJobs(customerId);
  // Their statements say nothing of turns, and know of holds only.
  await db.pool.query(`
    WITH job AS (
      INSERT INTO job (id, customer_id, outcome_type, outcome_type_version_id, state, revision, cost_cap_nanos, progress,
                       created_at, deadline_at, ready_at, wake_at)
      SELECT id || 'x', customer_id, outcome_type, outcome_type_version_id, state, revision, cost_cap_nanos, progress,
             created_at, deadline_at, ready_at, wake_at FROM job WHERE id = '${id}' RETURNING id, customer_id)
    INSERT INTO hold (job_id, customer_id, amount_nanos, currency) SELECT id, customer_id, 1, 'USD' FROM job`);
  expect(await openJobs(customerId)).toBe((before ?? 0) + 1);
  expect(Math.abs((await turnOf(`${id}x`)) - Date.now())).toBeLessThan(60_000);
  await db.pool.query(`UPDATE hold SET state = 'voided', ended_at = now() WHERE job_id = '${id}x'`);
  expect(await openJobs(customerId)).toBe(before);
  await db.pool.query(`DELETE FROM hold WHERE job_id = '${id}x'; DELETE FROM job WHERE id = '${id}x'`);
});

test("the books agree with what was counted", async () => {
  const checked = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(checked.filter(({ violations }) => violations.length > 0)).toEqual([]);
});
