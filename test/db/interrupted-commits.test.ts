/** Hazard: a COMMIT whose confirmation is lost. Whoever repeats it finds the job moved on, by whom? */
import type { JobId } from "@contingent/core/ids";
import type { Commit } from "@contingent/db/commit";
import { insistOnCommit } from "@contingent/db/insist-on-commit";
import {
  acceptedJob,
  answer,
  claim,
  driveTo,
  happens,
  judge,
  partsOf,
  type TestStep,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
const PATIENCE_MS = 5_000;

/** Commits, and loses the confirmation the first time. */
function losingTheFirst(commit: Commit, meanwhile: () => Promise<unknown> = () => Promise.resolve()): Commit {
  let calls = 0;
  return async (transition) => {
    calls += 1;
    const won = calls === 1 ? await meanwhile().then(() => commit(transition)) : await commit(transition);
    if (calls === 1) throw new Error("Connection terminated unexpectedly");
    return won;
  };
}

/** @returns whether whoever lost the confirmation is told that its transition stands */
async function interrupted(id: JobId, step: TestStep, meanwhile?: () => Promise<unknown>): Promise<boolean> {
  const transition = await transitionBy(db.pool, id, step);
  const commit = losingTheFirst(partsOf(db.pool).commit, meanwhile);
  return await insistOnCommit({ pool: db.pool, commit }, transition, performance.now() + PATIENCE_MS);
}

test.each([
  ["a claim", "queued", claim()],
  ["an answer", "attempting", answer()],
  ["a verdict", "validating", judge("pass")],
  ["a failing verdict", "validating", judge("fail")],
  ["a settlement", "settling", happens("settled")],
] as const)("%s that has happened is its own, and happens once", async (_, state, step) => {
  const id = await driveTo(db.pool, state);
  const { rows: before } = await db.pool.query("SELECT FROM job_event WHERE job_id = $1", [id]);
  expect(await interrupted(id, step)).toBe(true);
  const { rows: after } = await db.pool.query("SELECT FROM job_event WHERE job_id = $1", [id]);
  expect(after.length).toBe(before.length + 1);
});

test("one that did not happen is repeated", async () => {
  const id = await acceptedJob(db.pool);
  const transition = await transitionBy(db.pool, id, claim());
  let calls = 0;
  const commit: Commit = async (each) => {
    calls += 1;
    if (calls === 1) throw new Error("connect ECONNREFUSED");
    return await partsOf(db.pool).commit(each);
  };
  expect(await insistOnCommit({ pool: db.pool, commit }, transition, performance.now() + PATIENCE_MS)).toBe(true);
});

test.each([
  ["claimed by another worker", "queued", claim(), claim()],
  ["taken away", "attempting", answer(), happens("woke")],
  ["judged by another validator, in the same words", "validating", judge("fail"), judge("fail")],
] as const)("of a job that was %s meanwhile it is told that it lost", async (_, state, step, others) => {
  const id = await driveTo(db.pool, state);
  expect(await interrupted(id, step, () => take(db.pool, id, others))).toBe(false);
});
