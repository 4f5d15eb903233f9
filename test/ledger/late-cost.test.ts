/** Hazard: an answer that comes after its attempt was given up: its output is dropped, but what it cost is the truth. */
import type { AttemptId, JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { openCommit } from "@contingent/db/commit";
import { checkBooks } from "@contingent/ledger/check-books";
import { bookLateCost, type LateAnswer } from "@contingent/ledger/late-cost";
import { SMALL_NANOS } from "@contingent/core/job/job.fixture";
import { PLAIN } from "@contingent/db/payloads/payloads";
import {
  acceptedJob,
  answer,
  claim,
  driveTo,
  happens,
  judge,
  partsOf,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { revisionsOf, written } from "../db/written.ts";

const db = databaseOfThisFile();
/** What core's fixture reserves for an attempt, and counts as spent when its answer is lost. */
const RESERVE = SMALL_NANOS;
const SOON = { timeoutMs: 10_000, intervalMs: 5, what: "the other one to wait for the job" };

/** A job whose only attempt was lost, and that waits for the next one. */
async function lostAttempt(): Promise<LateAnswer> {
  const id = await driveTo(db.pool, "attempting");
  await take(db.pool, id, happens("woke"));
  return await lateAnswerOf(id);
}

async function lateAnswerOf(jobId: JobId, cost = 400n): Promise<LateAnswer> {
  const text = "SELECT id FROM attempt WHERE job_id = $1 AND cost_state = 'presumed'";
  const { rows } = await db.pool.query<{ id: AttemptId }>(text, [jobId]);
  const attemptId = rows[0]?.id ?? "att_none";
  const usage = { input_tokens: 100, output_tokens: 60 };
  const tokens = { inputTokens: 100, outputTokens: 60 };
  return {
    jobId,
    attemptId,
    provider: "anthropic",
    model: "small",
    cost: nanos(cost),
    currency: "USD",
    usage,
    ...tokens,
  };
}

interface Costs {
  readonly known: bigint;
  readonly presumed: bigint;
  readonly held: bigint;
  readonly overrun: bigint;
  /** What stands on the cost accounts for the job. */
  readonly booked: bigint;
}

async function costsOf(id: JobId): Promise<Costs | undefined> {
  const text = `
    SELECT cost_known_nanos AS known, cost_presumed_nanos AS presumed, cost_held_nanos AS held, cost_overrun_nanos AS overrun,
           (SELECT coalesce(sum(amount_nanos), 0)::bigint FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
             WHERE t.job_id = job.id AND account_class = 'cogs') AS booked
      FROM job WHERE id = $1`;
  return (await db.pool.query<Costs>(text, [id])).rows[0];
}

const NONE = { known: 0n, presumed: 0n, held: 0n, overrun: 0n, booked: 0n };

describe("the true cost replaces the presumed one, and the books get the difference", () => {
  test.each([
    ["lower than the reserve", RESERVE - 200n, 0n],
    ["nothing at all", 0n, 0n],
    ["just the reserve", RESERVE, 0n],
    ["higher than the reserve", RESERVE + 150n, 150n],
  ])("%s", async (_, cost, overrun) => {
    const late = { ...(await lostAttempt()), cost: nanos(cost) };
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, presumed: RESERVE, booked: RESERVE });
    expect(await bookLateCost(db.pool, late)).toBe(true);
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, known: cost, overrun, booked: cost });
    const rows = await written(db.pool, late.jobId);
    expect(rows["attempt"]).toEqual([
      expect.objectContaining({
        cost_state: "known",
        cost_nanos: Number(cost),
        outcome: "lost",
        output: null,
        input_tokens: 100,
      }),
    ]);
  });

  test("also when it alone exceeds the cap: an observed cost is never refused", async () => {
    const id = await acceptedJob(db.pool, { terms: { costCap: nanos(RESERVE) } });
    await take(db.pool, id, claim(), happens("woke"));
    const late = await lateAnswerOf(id, RESERVE * 3n);
    expect(await bookLateCost(db.pool, late)).toBe(true);
    expect(await costsOf(id)).toEqual({ ...NONE, known: RESERVE * 3n, overrun: RESERVE * 2n, booked: RESERVE * 3n });
    const broken = (await checkBooks(db.pool, partsOf(db.pool).versions)).filter((r) => r.violations.length > 0);
    expect(broken.map((r) => r.number)).toEqual([10]);
    // The operator raises the cap; the rest of this file is without fault.
    await db.pool.query("UPDATE job SET cost_cap_nanos = 1000000 WHERE id = $1", [id]);
  });

  test("also after the job is closed", async () => {
    const late = await lostAttempt();
    await take(db.pool, late.jobId, claim(), answer(), judge("pass"), happens("settled"));
    expect(await bookLateCost(db.pool, late)).toBe(true);
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, known: 800n, booked: 800n });
    expect((await take(db.pool, late.jobId)).state).toBe("closed");
  });

  test("and the job neither moves nor tells its customer about it", async () => {
    const late = await lostAttempt();
    await bookLateCost(db.pool, late);
    expect((await take(db.pool, late.jobId)).revision).toBe(3);
    expect(await revisionsOf(db.pool, late.jobId)).toEqual([1, 2, 3]);
  });
});

describe("told again it changes nothing", () => {
  test("by the same worker", async () => {
    const late = await lostAttempt();
    expect(await bookLateCost(db.pool, late)).toBe(true);
    const before = await written(db.pool, late.jobId);
    expect(await bookLateCost(db.pool, late)).toBe(false);
    expect(await bookLateCost(db.pool, { ...late, cost: nanos(1n) })).toBe(false);
    expect(await written(db.pool, late.jobId)).toEqual(before);
  });

  test("by several at once", async () => {
    const late = await lostAttempt();
    const booked = await Promise.all([1, 2, 3, 4].map(() => bookLateCost(db.pool, late)));
    expect(booked.filter(Boolean)).toHaveLength(1);
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, known: 400n, booked: 400n });
  });

  test("nor for an attempt whose cost is known, or that belongs to another job", async () => {
    const answered = await driveTo(db.pool, "validating");
    const { rows } = await db.pool.query<{ id: AttemptId }>("SELECT id FROM attempt WHERE job_id = $1", [answered]);
    const [attempt] = rows;
    if (attempt === undefined) throw new Error("no attempt");
    const known = { ...(await lateAnswerOf(answered)), attemptId: attempt.id };
    expect(await bookLateCost(db.pool, known)).toBe(false);
    const [late, other] = [await lostAttempt(), await lostAttempt()];
    expect(await bookLateCost(db.pool, { ...late, jobId: other.jobId })).toBe(false);
  });
});

describe("at the same time as a transition of the job nothing is lost", () => {
  test("when the cost comes between load and commit", async () => {
    const late = await lostAttempt();
    await take(db.pool, late.jobId, claim());
    const answered = await transitionBy(db.pool, late.jobId, answer(300n));
    expect(await bookLateCost(db.pool, late)).toBe(true);
    expect(await partsOf(db.pool).commit(answered)).toBe(true);
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, known: 700n, booked: 700n });
  });

  test("when both wait for the job's row, whoever gets it first", async () => {
    const late = await lostAttempt();
    await take(db.pool, late.jobId, claim());
    const answered = await transitionBy(db.pool, late.jobId, answer(300n));
    const holder = await db.pool.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM job WHERE id = $1 FOR UPDATE", [late.jobId]);
    const both = Promise.all([bookLateCost(db.another(1), late), openCommit(db.another(1), PLAIN)(answered)]);
    await until(async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
      return (await db.pool.query(waiting)).rowCount === 2;
    }, SOON);
    await holder.query("COMMIT");
    holder.release();
    expect(await both).toEqual([true, true]);
    expect(await costsOf(late.jobId)).toEqual({ ...NONE, known: 700n, booked: 700n });
  });

  test("because it waits for the job before it touches the attempt, as every transition does", async () => {
    const late = await lostAttempt();
    const holder = await db.pool.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM job WHERE id = $1 FOR UPDATE", [late.jobId]);
    const booking = bookLateCost(db.another(1), late);
    await until(async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
      return (await db.pool.query(waiting)).rowCount === 1;
    }, SOON);
    const free = await holder.query("SELECT FROM attempt WHERE id = $1 FOR UPDATE SKIP LOCKED", [late.attemptId]);
    await holder.query("COMMIT");
    holder.release();
    expect(free.rowCount).toBe(1);
    expect(await booking).toBe(true);
  });

  test("under load, over many jobs", async () => {
    const lost = await Promise.all(Array.from({ length: 30 }, () => lostAttempt()));
    await Promise.all(
      lost.map(async (late) => {
        const steps = take(db.pool, late.jobId, claim(), answer(300n), judge("pass"), happens("settled"));
        await Promise.all([steps, bookLateCost(db.pool, late)]);
      }),
    );
    const costs = await Promise.all(lost.map((late) => costsOf(late.jobId)));
    expect(costs).toEqual(lost.map(() => ({ ...NONE, known: 700n, booked: 700n })));
  });
});

test("after all of this every invariant of the books holds", async () => {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
});
