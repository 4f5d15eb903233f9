/** Hazard: a process that is gone, and jobs that wait for it until the end of leases as long as a model may take. */
import type { JobId } from "@contingent/core/ids";
import { takeDueJobs } from "@contingent/db/due";
import { forgetHolder, letGoOf, showHolder, wakeOrphans } from "@contingent/db/holders";
import {
  acceptedJob,
  answer,
  claim,
  inquires,
  loadedJob,
  partsOf,
  replies,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { afterEach, expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
const UNSEEN_MS = 10_000;

afterEach(async () => {
  await db.pool.query("DELETE FROM holder");
  await db.pool.query("UPDATE attempt SET holder = NULL WHERE cost_state = 'held'");
  await db.pool.query("UPDATE inquiry SET holder = NULL WHERE outcome IS NULL");
  await db.pool.query("UPDATE job SET wake_at = 'infinity'");
});

/** A job that is being attempted by this process. */
async function heldBy(holder: string | undefined): Promise<JobId> {
  const id = await acceptedJob(db.pool);
  expect(await partsOf(db.pool).commit({ ...(await transitionBy(db.pool, id, claim())), holder })).toBe(true);
  return id;
}

/** A job about whose answer this process has asked somebody. */
async function askedBy(holder: string): Promise<JobId> {
  const id = await acceptedJob(db.pool);
  await take(db.pool, id, claim(), answer());
  expect(await partsOf(db.pool).commit({ ...(await transitionBy(db.pool, id, inquires())), holder })).toBe(true);
  return id;
}

async function lastSeen(holder: string, secondsAgo: number): Promise<void> {
  await showHolder(db.pool, holder);
  const text = "UPDATE holder SET seen_at = now() - $2::float8 * interval '1 second' WHERE id = $1";
  await db.pool.query(text, [holder, secondsAgo]);
}

async function due(): Promise<readonly JobId[]> {
  return (await takeDueJobs(db.pool, partsOf(db.pool).versions, 100)).map(({ job }) => job.id);
}

async function holders(): Promise<readonly string[]> {
  return (await db.pool.query<{ id: string }>("SELECT id FROM holder ORDER BY id")).rows.map(({ id }) => id);
}

test("the jobs of a process that is not seen any more become due, and nobody else's", async () => {
  const orphans = [await heldBy("gone"), await heldBy("gone")];
  await heldBy("there");
  // Begun by a process of an earlier version, and by one that never got to say that it is there.
  await heldBy(undefined);
  await heldBy("unknown");
  await lastSeen("gone", 11);
  await lastSeen("there", 9);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map([["gone", 2]]));
  expect(new Set(await due())).toEqual(new Set(orphans));
});

test("they are woken once: how the job goes on is the business of whoever took it up", async () => {
  const id = await heldBy("gone");
  await lastSeen("gone", 60);
  await wakeOrphans(db.pool, UNSEEN_MS);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map());
  expect(await due()).toEqual([id]);
});

test("what has ended is nobody's any more", async () => {
  const id = await heldBy("gone");
  await take(db.pool, id, answer());
  await lastSeen("gone", 60);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map());
});

test("an inquiry whose asker is not seen any more is due at once, and once: from then on it waits for a validator like any other", async () => {
  const [lost, kept] = [await askedBy("gone"), await askedBy("there")];
  await lastSeen("gone", 11);
  await lastSeen("there", 9);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map([["gone", 1]]));
  expect(await due()).toEqual([lost]);
  // Looked at, and its message is on its way.
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map());
  const { forValidation } = partsOf(db.pool).loader;
  const [first, second] = [await forValidation(lost), await forValidation(kept)];
  expect([first?.asker, second?.asker]).toEqual(["gone", "there"]);
  expect((first?.job.readyAtMs ?? Infinity) - (first?.nowMs ?? 0)).toBeLessThanOrEqual(0);
  expect((second?.job.readyAtMs ?? 0) - (second?.nowMs ?? 0)).toBeGreaterThan(10_000);
});

test("nobody's death ends an inquiry whose reply comes by itself, or has come", async () => {
  const [pending, over] = [await askedBy("gone"), await askedBy("gone")];
  const { inquiry } = (await loadedJob(db.pool, pending)).job.progress;
  await letGoOf(db.pool, inquiry?.inquiryId ?? "inq_");
  await take(db.pool, over, replies());
  await lastSeen("gone", 3_601);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map());
  expect((await partsOf(db.pool).loader.forValidation(pending))?.asker).toBeNull();
  expect(await holders()).toEqual([]);
});

test("a process that shows itself again keeps what it holds", async () => {
  await heldBy("late");
  await lastSeen("late", 60);
  await showHolder(db.pool, "late");
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map());
});

test("a job that somebody is changing just now is passed over, not waited for", async () => {
  const [taken, other] = [await heldBy("gone"), await heldBy("gone")];
  await lastSeen("gone", 60);
  const changing = await db.another(1).connect();
  await changing.query("BEGIN");
  await changing.query("SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE", [taken]);
  expect(await wakeOrphans(db.pool, UNSEEN_MS)).toEqual(new Map([["gone", 1]]));
  expect(await due()).toEqual([other]);
  await changing.query("COMMIT");
  changing.release();
  await wakeOrphans(db.pool, UNSEEN_MS);
  expect(await due()).toContain(taken);
});

test("a process is forgotten when it leaves in order, or long after it died, and not while it holds anything", async () => {
  await showHolder(db.pool, "leaving");
  await forgetHolder(db.pool, "leaving");
  await heldBy("holding");
  for (const holder of ["dead", "holding"]) await lastSeen(holder, 3_601);
  await lastSeen("recent", 3_599);
  await wakeOrphans(db.pool, UNSEEN_MS);
  expect(await holders()).toEqual(["holding", "recent"]);
});
