/** Hazard: revenue that is earned twice, too early, never, or while somebody disputes it. */
import type { JobId } from "@contingent/core/ids";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { driveTo } from "@contingent/testkit/jobs";
import { clockMoved, customerWith } from "@contingent/testkit/customers";
import { until } from "@contingent/testkit/until";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { outcomeOf } from "./by-hand.ts";
import { credit, dispute, idOf, movedBy, violations } from "./charged.ts";

const db = databaseOfThisFile();

const DAY_MS = 86_400_000;
const EARNED = { "revenue:accrued": 500, "revenue:earned": -500 };

async function earnAll(): Promise<void> {
  while ((await earnDue(db.pool, 7)) >= 7);
}

function earnedOf(job: JobId): Promise<Record<string, number>> {
  return movedBy(db.pool, job, ["earn"]);
}

test("a charge is earned when its dispute window is over by its customer's clock, and not before", async () => {
  const [early, late] = await Promise.all([customerWith(db.pool), customerWith(db.pool)]);
  const terms = { disputeWindowMs: DAY_MS };
  const jobs = await Promise.all(
    [early, late].map(({ id: customerId }) => driveTo(db.pool, "closed", { customerId, terms })),
  );
  await clockMoved(db.pool, early.id, { byMs: DAY_MS });
  await earnAll();
  expect(await Promise.all(jobs.map(earnedOf))).toEqual([EARNED, {}]);
});

test("where there is no dispute window a charge is earned at once", async () => {
  const job = await driveTo(db.pool, "closed", { terms: { disputeWindowMs: 0 } });
  await earnAll();
  expect(await earnedOf(job)).toEqual(EARNED);
});

test("each charge is earned once, however many look for them at once", async () => {
  const customers = await Promise.all(Array.from({ length: 5 }, () => customerWith(db.pool)));
  const jobs = await Promise.all(
    Array.from({ length: 40 }, (_, n) => {
      const customerId = customers[n % customers.length]?.id ?? "cus_none";
      return driveTo(db.pool, "closed", { customerId, terms: { disputeWindowMs: 0 } });
    }),
  );
  await Promise.all(Array.from({ length: 4 }, () => earnAll()));
  expect(await Promise.all(jobs.map(earnedOf))).toEqual(jobs.map(() => EARNED));
});

test("what is disputed is not earned, and is when that is over", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const job = await driveTo(db.pool, "closed", { customerId, terms: { disputeWindowMs: DAY_MS } });
  const id = idOf(await dispute(db.pool, job));
  await clockMoved(db.pool, customerId, { byMs: 2 * DAY_MS });
  await earnAll();
  expect(await earnedOf(job)).toEqual({});
  await resolveDispute(db.pool, id, { outcome: "credit", amount: null, reason: "So it is." });
  await earnAll();
  // What was credited stands against it in an account of its own.
  expect(await earnedOf(job)).toEqual(EARNED);
  expect(await dispute(db.pool, job, null, "Again.")).toEqual({ kind: "window_over", untilMs: null });
  expect((await credit(db.pool, job, 1n, "more")).kind).toBe("too_much");
});

test("of a dispute and the end of its window one comes first, and the other finds it so", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const terms = { disputeWindowMs: 25 };
  const jobs = await Promise.all(Array.from({ length: 30 }, () => driveTo(db.pool, "closed", { customerId, terms })));
  const [opened] = await Promise.all([
    Promise.all(jobs.map(async (job) => (await dispute(db.pool, job)).kind)),
    ...Array.from({ length: 2 }, () => earnAll()),
  ]);
  await clockMoved(db.pool, customerId, { byMs: DAY_MS });
  await earnAll();
  const earned = await Promise.all(jobs.map(async (job) => "revenue:earned" in (await earnedOf(job))));
  expect(opened.map((kind) => kind === "opened")).toEqual(earned.map((is) => !is));
});

test("a dispute that waited for its customer's account beyond the end of the window is too late", async () => {
  const { id: customerId } = await customerWith(db.pool);
  const job = await driveTo(db.pool, "closed", { customerId, terms: { disputeWindowMs: 1_500 } });
  const holder = await db.pool.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT FROM customer_account WHERE customer_id = $1 FOR UPDATE", [customerId]);
  const waiting = dispute(db.pool, job);
  const isSo = async (text: string, ...values: string[]): Promise<boolean> =>
    (await db.pool.query(text, values)).rowCount === 1;
  const isWaiting = (): Promise<boolean> =>
    isSo("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
  await until(isWaiting, { timeoutMs: 10_000, what: "the dispute to wait" });
  const isOver = (): Promise<boolean> =>
    isSo("SELECT FROM unearned WHERE job_id = $1 AND due_at < clock_timestamp()", job);
  expect(await isOver()).toBe(false);
  await until(isOver, { timeoutMs: 10_000, what: "the window to end" });
  await holder.query("COMMIT");
  holder.release();
  expect((await waiting).kind).toBe("window_over");
  await earnAll();
});

describe("the database refuses, whoever asks,", () => {
  const takeOut = (job: JobId): string => `DELETE FROM unearned WHERE job_id = '${job}'`;

  test("to let a charge go that is not earned, and to change when it will be", async () => {
    const job = await driveTo(db.pool, "closed");
    expect(await outcomeOf(db.pool, takeOut(job))).toBe("unearned_is_earned");
    expect(await outcomeOf(db.pool, "UPDATE unearned SET due_at = now()")).toBe("23001");
  });

  test("to earn what is disputed", async () => {
    const job = await driveTo(db.pool, "closed");
    await dispute(db.pool, job);
    expect(await outcomeOf(db.pool, takeOut(job))).toBe("dispute_open_job_id_fkey");
  });

  test("a second open dispute, one over more than the charge, and one that is not in the books", async () => {
    const job = await driveTo(db.pool, "closed");
    const open = (amount: number, reason: string): string => `
      INSERT INTO dispute (id, job_id, customer_id, charge_nanos, reason, amount_nanos, reverification, opened_at)
      SELECT 'dsp_${reason}', job_id, customer_id, amount_nanos, '${reason}', ${amount}, '{}', now() FROM charge WHERE job_id = '${job}'`;
    expect(await outcomeOf(db.pool, open(501, "a"))).toBe("dispute_within_charge");
    expect(await outcomeOf(db.pool, open(100, "b"))).toBe("dispute_is_booked");
    await dispute(db.pool, job);
    expect(await outcomeOf(db.pool, open(100, "c"))).toBe("dispute_open_job_id_key");
  });

  test("to decide a dispute in words alone, or to change what was decided", async () => {
    const job = await driveTo(db.pool, "closed");
    const id = idOf(await dispute(db.pool, job, 100n));
    const decide = (state: string): string =>
      `UPDATE dispute SET state = '${state}', resolution = 'So it is.', resolved_at = now() WHERE id = '${id}'`;
    expect(await outcomeOf(db.pool, decide("upheld"))).toBe("dispute_is_booked");
    expect(await outcomeOf(db.pool, `UPDATE dispute SET amount_nanos = 1 WHERE id = '${id}'`)).toBe(
      "dispute_is_resolved_once",
    );
    await resolveDispute(db.pool, id, { outcome: "uphold", reason: "It is right." });
    expect(await outcomeOf(db.pool, decide("credited"))).toBe("dispute_is_resolved_once");
    expect(await outcomeOf(db.pool, `DELETE FROM dispute WHERE id = '${id}'`)).toBe("23001");
  });

  test("a credit note beyond the charge, beside another, after a gap, or without its booking", async () => {
    const job = await driveTo(db.pool, "closed");
    await credit(db.pool, job, 100n, "first");
    const note = (before: number, amount: number): string => `
      INSERT INTO credit_note (id, job_id, customer_id, ref, reason, amount_nanos, charge_nanos, credited_before_nanos, at)
      SELECT 'crn_x', job_id, customer_id, 'by hand', 'By hand.', ${amount}, amount_nanos, ${before}, now() FROM charge WHERE job_id = '${job}'`;
    expect(await outcomeOf(db.pool, note(100, 401))).toBe("credit_note_within_charge");
    expect(await outcomeOf(db.pool, note(0, 50))).toBe("credit_note_job_id_credited_before_nanos_key");
    expect(await outcomeOf(db.pool, note(200, 50))).toBe("credit_note_follows");
    expect(await outcomeOf(db.pool, note(100, 400))).toBe("credit_note_is_booked");
    const booking = `SELECT book(jsonb_build_array(jsonb_build_object('id', 'txn_x', 'kind', 'credit', 'key', 'credit:crn_y',
      'job_id', '${job}', 'customer_id', (SELECT customer_id FROM charge WHERE job_id = '${job}'), 'currency', 'USD',
      'postings', '[["contra_revenue:credit", "", "7"], ["receivable:unbilled", "cus_fixture", "-7"]]'::jsonb)))`;
    expect(await outcomeOf(db.pool, booking)).toBe("ledger_transaction_credit_note_id_fkey");
  });
});

test("after all of this the books hold", async () => {
  expect(await violations(db.pool)).toEqual([]);
});
