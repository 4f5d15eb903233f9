/** Hazard: a cost that turns out to be another one later: it is booked by its difference, once, and nothing else changes. */
import type { AttemptId, JobId, KeyId } from "@contingent/core/ids";
import { SMALL_NANOS } from "@contingent/core/job/job.fixture";
import { nanos } from "@contingent/core/money";
import { findAttemptCost } from "@contingent/db/attempt-cost";
import { openCommit } from "@contingent/db/commit";
import { createKey } from "@contingent/db/keys";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { checkBooks } from "@contingent/ledger/check-books";
import { correctCost, type Correction } from "@contingent/ledger/correct-cost";
import { bookLateCost } from "@contingent/ledger/late-cost";
import {
  acceptedJob,
  answer,
  callFails,
  claim,
  driveTo,
  happens,
  judge,
  partsOf,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { beforeAll, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { revisionsOf, written } from "../db/written.ts";
import { outcomeOf } from "./by-hand.ts";

const db = databaseOfThisFile();
/** What core's fixture reserves for an attempt, and counts as spent when its answer is lost. */
const RESERVE = SMALL_NANOS;
const NONE = { known: 0n, presumed: 0n, held: 0n, overrun: 0n, booked: 0n };
const SOON = { timeoutMs: 10_000, intervalMs: 5, what: "the others to wait for the job" };
let operator: KeyId;

beforeAll(async () => {
  operator = (await createKey(db.pool, { kind: "operator", label: "test" })).id;
});

function correct(attemptId: AttemptId, amount: bigint, pool = db.pool): Promise<Correction> {
  return correctCost(pool, { attemptId, amount: nanos(amount), reason: `it was ${amount}`, correctedBy: operator });
}

/** The attempts of a job, the first one first. */
async function attemptsOf(jobId: JobId): Promise<readonly AttemptId[]> {
  const text = "SELECT id FROM attempt WHERE job_id = $1 ORDER BY number";
  return (await db.pool.query<{ id: AttemptId }>(text, [jobId])).rows.map(({ id }) => id);
}

async function firstAttemptOf(jobId: JobId): Promise<AttemptId> {
  const [attempt] = await attemptsOf(jobId);
  if (attempt === undefined) throw new Error(`${jobId} has no attempt`);
  return attempt;
}

/** What the job says that it cost, and what stands in the books for it. */
async function costsOf(id: JobId): Promise<unknown> {
  const text = `
    SELECT cost_known_nanos AS known, cost_presumed_nanos AS presumed, cost_held_nanos AS held, cost_overrun_nanos AS overrun,
           (SELECT coalesce(sum(amount_nanos), 0)::bigint FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
             WHERE t.job_id = job.id AND account_class = 'cogs') AS booked
      FROM job WHERE id = $1`;
  return (await db.pool.query(text, [id])).rows[0];
}

async function costKeysOf(id: JobId): Promise<readonly string[]> {
  const text = "SELECT key FROM ledger_transaction WHERE job_id = $1 AND kind = 'cost' ORDER BY id";
  return (await db.pool.query<{ key: string }>(text, [id])).rows.map(({ key }) => key);
}

async function brokenInvariants(): Promise<readonly number[]> {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  return results.filter((r) => r.violations.length > 0).map((r) => r.number);
}

/** A job that was answered at 400 nanos, delivered, charged and closed. */
async function closedJob(): Promise<{ readonly jobId: JobId; readonly attemptId: AttemptId }> {
  const jobId = await driveTo(db.pool, "closed");
  return { jobId, attemptId: await firstAttemptOf(jobId) };
}

/** A job whose only attempt was lost, and that waits for the next one. */
async function lostAttempt(): Promise<{ readonly jobId: JobId; readonly attemptId: AttemptId }> {
  const jobId = await driveTo(db.pool, "attempting");
  await take(db.pool, jobId, happens("woke"));
  return { jobId, attemptId: await firstAttemptOf(jobId) };
}

describe("the difference is booked, and the job and its attempt cost what the last word says", () => {
  test.each([
    ["less than was reported", 300n],
    ["more than was reported", 450n],
    ["nothing", 0n],
  ])("%s", async (_, amount) => {
    const { jobId, attemptId } = await closedJob();
    expect(await correct(attemptId, amount)).toBe("corrected");
    const overrun = amount > 400n ? amount - 400n : 0n;
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: amount, overrun, booked: amount });
    expect(await costKeysOf(jobId)).toEqual([`cost:${attemptId}:reported`, `cost:${attemptId}:corrected-1`]);
    expect(await findAttemptCost(db.pool, attemptId)).toMatchObject({
      basis: "corrected",
      cost: amount,
      corrections: [{ version: 1, previous: 400n, amount, reason: `it was ${amount}`, correctedBy: operator }],
    });
  });

  test("what was estimated because the answer was lost", async () => {
    const { jobId, attemptId } = await lostAttempt();
    expect(await correct(attemptId, 250n)).toBe("corrected");
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: 250n, booked: 250n });
    expect(await costKeysOf(jobId)).toEqual([`cost:${attemptId}:estimated`, `cost:${attemptId}:corrected-1`]);
  });

  test("an estimate that was right is known from then on, with nothing to book", async () => {
    const { jobId, attemptId } = await lostAttempt();
    expect(await correct(attemptId, RESERVE)).toBe("corrected");
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: RESERVE, booked: RESERVE });
    expect(await costKeysOf(jobId)).toEqual([`cost:${attemptId}:estimated`]);
    expect(await correct(attemptId, RESERVE)).toBe("unchanged");
  });

  test("again and again, each with its own version", async () => {
    const { jobId, attemptId } = await closedJob();
    for (const amount of [500n, 200n, 300n, 400n]) expect(await correct(attemptId, amount)).toBe("corrected");
    // 200 is the least that it was said to cost: what was added to it since counts against no cap.
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: 400n, overrun: 200n, booked: 400n });
    const history = await findAttemptCost(db.pool, attemptId);
    expect(history?.corrections.map(({ version, previous, amount }) => [version, previous, amount])).toEqual([
      [4, 300n, 400n],
      [3, 200n, 300n],
      [2, 500n, 200n],
      [1, 400n, 500n],
    ]);
  });

  test("and the job neither moves nor tells its customer about it", async () => {
    const { jobId, attemptId } = await closedJob();
    const { job: _, attempt: __, ledger_transaction: ___, posting: ____, ...before } = await written(db.pool, jobId);
    const revisions = await revisionsOf(db.pool, jobId);
    await correct(attemptId, 500n);
    expect(await written(db.pool, jobId)).toMatchObject(before);
    expect(await revisionsOf(db.pool, jobId)).toEqual(revisions);
  });
});

describe("the cost cap never stands in the way of the truth", () => {
  test("also where the rest of what was reserved is spent already", async () => {
    const id = await acceptedJob(db.pool, { terms: { costCap: nanos(RESERVE + 400n) } });
    await take(db.pool, id, claim(), answer(400n), judge("fail"), claim());
    const attemptId = await firstAttemptOf(id);
    expect(await correct(attemptId, RESERVE)).toBe("corrected");
    expect(await costsOf(id)).toEqual({
      ...NONE,
      known: RESERVE,
      held: RESERVE,
      overrun: RESERVE - 400n,
      booked: RESERVE,
    });
    // The call that is under way ends as it would have, and its job gives up: nothing is left to spend.
    const after = await take(db.pool, id, answer(RESERVE), judge("fail"));
    expect(after).toMatchObject({ state: "queued" });
    expect(await take(db.pool, id, claim())).toMatchObject({ reason: "cost_cap" });
    expect(await brokenInvariants()).toEqual([]);
  });

  test("nor does a correction beyond the cap look like one job's usage that was out of bounds", async () => {
    const { attemptId } = await closedJob();
    expect(await correct(attemptId, 900_000_000_000n)).toBe("corrected");
    expect(await brokenInvariants()).toEqual([]);
  });

  test("but usage beyond it is still reported, beside corrections of other attempts", async () => {
    const id = await acceptedJob(db.pool, { terms: { costCap: nanos(RESERVE * 2n) } });
    await take(db.pool, id, claim(), answer(RESERVE * 3n), judge("fail"));
    expect(await brokenInvariants()).toEqual([10]);
    await db.pool.query("UPDATE job SET cost_cap_nanos = 1000000 WHERE id = $1", [id]);
    expect(await brokenInvariants()).toEqual([]);
  });
});

describe("told again it changes nothing", () => {
  test("by the same operator", async () => {
    const { jobId, attemptId } = await closedJob();
    await correct(attemptId, 500n);
    const before = await written(db.pool, jobId);
    expect(await correct(attemptId, 500n)).toBe("unchanged");
    expect(await written(db.pool, jobId)).toEqual(before);
  });

  test("by several at once", async () => {
    const { jobId, attemptId } = await closedJob();
    const told = await Promise.all([1, 2, 3, 4, 5].map(() => correct(attemptId, 500n)));
    expect(told.filter((said) => said === "corrected")).toHaveLength(1);
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: 500n, overrun: 100n, booked: 500n });
  });

  test("what was always known needs no correction", async () => {
    const { jobId, attemptId } = await closedJob();
    expect(await correct(attemptId, 400n)).toBe("unchanged");
    expect(await costKeysOf(jobId)).toHaveLength(1);
  });
});

describe("there is nothing to correct", () => {
  test("of an attempt that is still running", async () => {
    const jobId = await driveTo(db.pool, "attempting");
    const before = await written(db.pool, jobId);
    expect(await correct(await firstAttemptOf(jobId), 5n)).toBe("open");
    expect(await written(db.pool, jobId)).toEqual(before);
  });

  test("of one that never reached a provider", async () => {
    const jobId = await driveTo(db.pool, "attempting");
    await take(db.pool, jobId, callFails("unavailable"));
    expect(await correct(await firstAttemptOf(jobId), 5n)).toBe("open");
  });

  test("of one that there is not", async () => {
    expect(await correct("att_none", 5n)).toBe("unknown");
  });
});

describe("at the same time as anything else nothing is lost", () => {
  test("different corrections at once: each books its difference, the last word stands", async () => {
    const { jobId, attemptId } = await closedJob();
    const pools = [1, 2, 3].map(() => db.another(2));
    const amounts = Array.from({ length: 12 }, (_, i) => 350n + BigInt(i));
    await Promise.all(amounts.map((amount, i) => correct(attemptId, amount, pools[i % 3])));
    const history = await findAttemptCost(db.pool, attemptId);
    expect(history?.corrections.map(({ version }) => version)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(await costsOf(jobId)).toMatchObject({ known: history?.cost, booked: history?.cost });
  });

  test("a late answer and a correction of the same attempt: whoever comes first, the correction stands", async () => {
    const lost = await Promise.all(Array.from({ length: 20 }, () => lostAttempt()));
    await Promise.all(
      lost.map(async ({ jobId, attemptId }) => {
        const told = { provider: "anthropic", model: "small", usage: null, inputTokens: 1, outputTokens: 1 };
        const late = { jobId, attemptId, cost: nanos(300n), currency: "USD", ...told } as const;
        await Promise.all([bookLateCost(db.pool, late), correct(attemptId, 350n)]);
      }),
    );
    for (const { jobId } of lost)
      expect(await costsOf(jobId)).toMatchObject({ known: 350n, presumed: 0n, booked: 350n });
  });

  test("a transition of the job: both wait for its row, and costs move by differences", async () => {
    const { jobId, attemptId } = await lostAttempt();
    await take(db.pool, jobId, claim());
    const answered = await transitionBy(db.pool, jobId, answer(300n));
    const holder = await db.pool.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM job WHERE id = $1 FOR UPDATE", [jobId]);
    const both = Promise.all([correct(attemptId, 450n, db.another(1)), openCommit(db.another(1), PLAIN)(answered)]);
    await until(async () => {
      const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
      return (await db.pool.query(waiting)).rowCount === 2;
    }, SOON);
    await holder.query("COMMIT");
    holder.release();
    expect(await both).toEqual(["corrected", true]);
    expect(await costsOf(jobId)).toEqual({ ...NONE, known: 750n, booked: 750n });
  });
});

describe("the tables allow an ended attempt to change in no other way", () => {
  const REFUSED = "attempt_ends_once";
  const next = (attemptId: AttemptId, amount: bigint, previous = 400n) => ({
    text: `INSERT INTO attempt_cost_correction (attempt_id, version, previous_nanos, amount_nanos, reason, corrected_by)
           VALUES ($1, 1, $2, $3, 'by hand', $4)`,
    values: [attemptId, previous, amount, operator],
  });
  const update = (attemptId: AttemptId, set: string) => ({
    text: `UPDATE attempt SET ${set} WHERE id = $1`,
    values: [attemptId],
  });

  test.each([
    ["without a correction", "cost_nanos = 5, cost_version = 1"],
    ["without its version", "cost_nanos = 5"],
    ["a version alone", "cost_version = 1"],
  ])("%s", async (_, set) => {
    const { attemptId } = await closedJob();
    expect(await outcomeOf(db.pool, update(attemptId, set))).toBe(REFUSED);
  });

  test.each([
    ["to another amount than the correction says", "cost_nanos = 6, cost_version = 1"],
    ["by two versions at once", "cost_nanos = 5, cost_version = 2"],
    ["together with its output", "cost_nanos = 5, cost_version = 1, output = 'other'"],
    ["together with its usage", "cost_nanos = 5, cost_version = 1, usage = '{}'"],
    ["together with its end", "cost_nanos = 5, cost_version = 1, ended_at = now()"],
    ["back to an estimate", "cost_nanos = 5, cost_version = 1, cost_state = 'presumed'"],
  ])("%s", async (_, set) => {
    const { attemptId } = await closedJob();
    expect(await outcomeOf(db.pool, next(attemptId, 5n), update(attemptId, set))).toBe(REFUSED);
  });

  test("by a correction of another amount than it had", async () => {
    const { attemptId } = await closedJob();
    const wrong = next(attemptId, 5n, 399n);
    expect(await outcomeOf(db.pool, wrong, update(attemptId, "cost_nanos = 5, cost_version = 1"))).toBe(REFUSED);
  });

  test("nor one that was lost, nor one that never reached a provider", async () => {
    const { attemptId } = await lostAttempt();
    expect(await outcomeOf(db.pool, update(attemptId, "cost_version = 1"))).toBe(REFUSED);
    const jobId = await driveTo(db.pool, "attempting");
    await take(db.pool, jobId, callFails("unavailable"));
    const released = await firstAttemptOf(jobId);
    const set = "cost_nanos = 5, cost_version = 1, cost_state = 'known'";
    expect(await outcomeOf(db.pool, next(released, 5n, 0n), update(released, set))).toBe(REFUSED);
  });

  test("and what was corrected stays on record", async () => {
    const { attemptId } = await closedJob();
    await correct(attemptId, 500n);
    const RESTRICTED = "23001";
    for (const change of ["UPDATE attempt_cost_correction SET reason = 'x'", "DELETE FROM attempt_cost_correction"]) {
      expect(await outcomeOf(db.pool, change)).toBe(RESTRICTED);
    }
    expect(await outcomeOf(db.pool, "TRUNCATE attempt_cost_correction")).toBe(RESTRICTED);
  });
});

test("after all of this every invariant of the books holds", async () => {
  expect(await brokenInvariants()).toEqual([]);
});
