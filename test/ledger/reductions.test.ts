/** Hazard: a charge of which more is given back than its statement has left to be paid. */
import type { JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { beginClosing, finishClosing } from "@contingent/ledger/statement/close";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { OUTCOME_TYPE } from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { Billed, brokenBooks, usd } from "./billing.ts";
import { outcomeOf } from "./by-hand.ts";
import { credit, dispute, idOf } from "./charged.ts";

const db = databaseOfThisFile();

const HALF = { discountShare: 0.5 };
const FIRST_FREE = { outcomeTypes: { [OUTCOME_TYPE]: { allowance: 1, bands: null } } };

/** A credit note that somebody writes by hand, who says that the charge was reduced by so much. */
const noteByHand = (job: JobId, amount: bigint, reduced: bigint | null): string => `
  INSERT INTO credit_note (id, job_id, customer_id, ref, reason, amount_nanos, charge_nanos, credited_before_nanos, reduced_nanos, at)
  SELECT 'crn_x', job_id, customer_id, 'by hand', 'By hand.', ${amount}, amount_nanos, 0, ${reduced ?? "NULL"}, now()
    FROM charge WHERE job_id = '${job}'`;

const reductionByHand = (job: JobId, statement: string, amount: bigint): string =>
  `INSERT INTO statement_reduction VALUES ('${job}', '${statement}', ${amount})`;

async function reductionsOf(customer: Billed, n = 0): Promise<readonly (readonly [string, bigint])[]> {
  const { rows } = await db.pool.query<{ job_id: string; amount_nanos: bigint }>(
    "SELECT job_id, amount_nanos FROM statement_reduction WHERE statement_id = $1 ORDER BY job_id",
    [customer.statementId(n)],
  );
  return rows.map((row) => [row.job_id, row.amount_nanos]);
}

describe("after its statement a charge can be credited", () => {
  test("by what the discount has left, and not by a nano more", async () => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(3));
    await customer.close(0);
    expect(await credit(db.pool, job, usd(1.5) + 1n, "a")).toEqual({ kind: "too_much", atMost: usd(1.5) });
    expect(await credit(db.pool, job, usd(1), "b")).toMatchObject({ kind: "issued" });
    expect(await credit(db.pool, job, usd(0.5) + 1n, "c")).toEqual({ kind: "too_much", atMost: usd(0.5) });
    expect(await credit(db.pool, job, usd(0.5), "d")).toMatchObject({ kind: "issued" });
    expect(await credit(db.pool, job, 1n, "e")).toEqual({ kind: "too_much", atMost: 0n });
  });

  test("not at all where the allowance made it free, and in full where nothing was taken off it", async () => {
    const customer = await Billed.open(db.pool, FIRST_FREE);
    const options = { terms: { disputeWindowMs: 90 * 86_400_000 } };
    const [free, paid] = [await customer.charged(usd(1), options), await customer.charged(usd(1))];
    await customer.close(0);
    expect(await reductionsOf(customer)).toEqual([[free, usd(1)]]);
    expect(await credit(db.pool, free, 1n, "a")).toEqual({ kind: "too_much", atMost: 0n });
    expect(await dispute(db.pool, free)).toEqual({ kind: "too_much", atMost: 0n });
    expect(await credit(db.pool, paid, usd(1), "a")).toMatchObject({ kind: "issued" });
  });

  test("in a dispute from before the statement by no more than that has left", async () => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(2));
    const id = idOf(await dispute(db.pool, job));
    await customer.close(0);
    const end = { outcome: "credit", reason: "So it is." } as const;
    const tooMuch = await resolveDispute(db.pool, id, { ...end, amount: nanos(usd(1) + 1n) });
    expect(tooMuch).toEqual({ kind: "too_much", atMost: usd(1) });
    expect(await resolveDispute(db.pool, id, { ...end, amount: null })).toEqual({ kind: "resolved" });
    expect(await credit(db.pool, job, 1n, "a")).toEqual({ kind: "too_much", atMost: 0n });
  });

  test("also when prepaid money had paid for it", async () => {
    const customer = await Billed.open(db.pool, HALF);
    await customer.prepay(usd(10));
    const job = await customer.charged(usd(2));
    await customer.close(0);
    expect(await credit(db.pool, job, usd(1) + 1n, "a")).toEqual({ kind: "too_much", atMost: usd(1) });
    expect(await credit(db.pool, job, usd(1), "b")).toMatchObject({ kind: "issued" });
  });
});

test("what was given back after the period and before its closing is not reduced by the statement any more", async () => {
  const customer = await Billed.open(db.pool, FIRST_FREE);
  const job = await customer.charged(usd(1));
  await customer.moveTo(1);
  await customer.credit(job, usd(0.75));
  const { totals } = await customer.close(0);
  expect([totals.allowance.onAccount, totals.credits.onAccount]).toEqual([usd(0.25), 0n]);
  expect((await customer.statement(1)).totals.credits.onAccount).toBe(usd(0.75));
  expect(await credit(db.pool, job, 1n, "a")).toEqual({ kind: "too_much", atMost: 0n });
});

test("a statement that leaves everything as it was charged takes nothing off any charge", async () => {
  const customer = await Billed.open(db.pool, { discountFixed: nanos(usd(0.5)) });
  const job = await customer.charged(usd(1));
  await customer.close(0);
  expect(await reductionsOf(customer)).toEqual([]);
  expect(await credit(db.pool, job, usd(1), "a")).toMatchObject({ kind: "issued" });
});

describe("while the statement is being closed", () => {
  test("nothing is given back of its charges, only of others; afterwards what it leaves is", async () => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(2));
    const contested = await customer.charged(usd(2));
    const id = idOf(await dispute(db.pool, contested));
    await customer.credit(job, usd(0.5));
    await customer.moveTo(1);
    const statement = customer.statementId(0);
    expect(await beginClosing(db.pool, statement)).toMatchObject({ kind: "begun" });
    const later = await customer.charged(usd(1));
    const wait = { kind: "statement_closing", statement };
    expect(await credit(db.pool, job, 1n, "a")).toEqual(wait);
    const end = { outcome: "credit", amount: null, reason: "So it is." } as const;
    expect(await resolveDispute(db.pool, id, end)).toEqual(wait);
    expect(await credit(db.pool, later, usd(1), "a")).toMatchObject({ kind: "issued" });
    for (const reduced of [null, 0n]) {
      expect(await outcomeOf(db.pool, noteByHand(contested, 1n, reduced))).toBe("credit_note_awaits_closing");
    }
    await finishClosing(db.pool, statement);
    expect(await credit(db.pool, job, usd(0.75) + 1n, "b")).toEqual({ kind: "too_much", atMost: usd(0.75) });
    expect(await credit(db.pool, job, usd(0.75), "b")).toMatchObject({ kind: "issued" });
    expect(await resolveDispute(db.pool, id, end)).toEqual({ kind: "resolved" });
  });

  test("a charge is reduced by its own statement, and by no more than is left of it", async () => {
    const customer = await Billed.open(db.pool);
    const job = await customer.charged(usd(2));
    await customer.credit(job, usd(0.5));
    await customer.moveTo(1);
    await beginClosing(db.pool, customer.statementId(0));
    const other = await (await Billed.open(db.pool)).charged();
    const reduced = (of: JobId, amount: bigint): Promise<string> =>
      outcomeOf(db.pool, reductionByHand(of, customer.statementId(0), amount), "ROLLBACK");
    expect(await reduced(job, usd(1.5) + 1n)).toBe("reduction_fits");
    expect(await reduced(other, 1n)).toBe("reduction_fits");
    expect(await reduced(await customer.charged(), 1n)).toBe("reduction_fits");
    expect(await reduced(job, usd(1.5))).toBe("committed");
    await finishClosing(db.pool, customer.statementId(0));
    expect(await reduced(job, 1n)).toBe("reduction_fits");
  });

  test("whoever dies before the end leaves reductions that the next one finds as they are", async () => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(2));
    await customer.charged(usd(4));
    await customer.moveTo(1);
    await beginClosing(db.pool, customer.statementId(0));
    await db.pool.query(reductionByHand(job, customer.statementId(0), usd(1)));
    expect(await credit(db.pool, job, 1n, "a")).toMatchObject({ kind: "statement_closing" });
    await Promise.all([1, 2].map(() => finishClosing(db.pool, customer.statementId(0))));
    expect((await reductionsOf(customer)).map(([, amount]) => amount)).toEqual([usd(1), usd(2)]);
  });

  test("a statement whose charges are not reduced by what it says is not closed", async () => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(2));
    await customer.moveTo(1);
    await beginClosing(db.pool, customer.statementId(0));
    await db.pool.query(reductionByHand(job, customer.statementId(0), usd(1) - 1n));
    await expect(finishClosing(db.pool, customer.statementId(0))).rejects.toMatchObject({
      constraint: "statement_is_itemized",
    });
    await db.pool.query(`
      BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM statement_reduction WHERE job_id = '${job}'; COMMIT`);
    await finishClosing(db.pool, customer.statementId(0));
    expect(await reductionsOf(customer)).toEqual([[job, usd(1)]]);
  });
});

test("a credit note that says something else of its charge's reduction is refused, whoever writes it", async () => {
  const customer = await Billed.open(db.pool, HALF);
  const job = await customer.charged(usd(2));
  expect(await outcomeOf(db.pool, noteByHand(job, 1n, 0n))).toBe("credit_note_knows_reduction");
  await customer.close(0);
  for (const reduced of [null, 0n, usd(1) - 1n, usd(0.5)]) {
    expect(await outcomeOf(db.pool, noteByHand(job, 1n, reduced))).toBe("credit_note_knows_reduction");
  }
  expect(await outcomeOf(db.pool, noteByHand(job, usd(1) + 1n, usd(1)))).toBe("credit_note_within_charge");
  expect(await outcomeOf(db.pool, noteByHand(job, usd(1), usd(1)))).toBe("credit_note_is_booked");
});

test("a closing waits for a credit note that is under way, and reduces what it leaves", async () => {
  const customer = await Billed.open(db.pool, HALF);
  const job = await customer.charged(usd(2));
  await customer.moveTo(1);
  const writer = await db.pool.connect();
  await writer.query("BEGIN");
  // By hand, and so without the lock that the ledger takes: the trigger takes it.
  await writer.query(noteByHand(job, usd(1), null));
  const beginning = beginClosing(db.another(1), customer.statementId(0));
  await blockedBy(writer);
  expect((await customer.statement(0)).head.state).toBe("open");
  await writer.query("ROLLBACK");
  writer.release();
  expect(await beginning).toMatchObject({ kind: "begun" });
  await finishClosing(db.pool, customer.statementId(0));
});

/** Returns as soon as somebody waits for the locks of this connection. */
async function blockedBy(client: { query: (text: string) => Promise<{ rows: { pid: number }[] }> }): Promise<void> {
  const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
  for (;;) {
    const waiting = await db.pool.query("SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", [
      rows[0]?.pid,
    ]);
    if (waiting.rowCount !== 0) return;
  }
}

test("however a closing and credit notes fall together, charge, credits and reduction come out right", async () => {
  const pools = [db.another(4), db.another(4)];
  const race = async (): Promise<void> => {
    const customer = await Billed.open(db.pool, HALF);
    const job = await customer.charged(usd(2));
    await customer.moveTo(1);
    const notes = Array.from({ length: 12 }, async (_, n) => credit(pools[n % 2] ?? db.pool, job, usd(0.3), `n${n}`));
    const closing = (async () => {
      await beginClosing(db.pool, customer.statementId(0));
      await Promise.all(pools.map((pool) => finishClosing(pool, customer.statementId(0))));
    })();
    const kinds = (await Promise.all([...notes, closing])).slice(0, -1);
    expect(kinds.length).toBe(12);
    const rest = await Promise.all(Array.from({ length: 7 }, (_, n) => credit(db.pool, job, usd(0.3), `m${n}`)));
    expect(rest.filter(({ kind }) => kind !== "issued" && kind !== "too_much")).toEqual([]);
    const { rows } = await db.pool.query<{ credited: bigint; before: bigint; reduced: bigint }>(
      `SELECT coalesce(sum(amount_nanos), 0)::bigint AS credited,
              coalesce(sum(amount_nanos) FILTER (WHERE reduced_nanos IS NULL), 0)::bigint AS before,
              coalesce((SELECT amount_nanos FROM statement_reduction WHERE job_id = $1), 0)::bigint AS reduced
         FROM credit_note WHERE job_id = $1`,
      [job],
    );
    const { credited, before, reduced } = rows[0] ?? { credited: 0n, before: 0n, reduced: 0n };
    expect(reduced).toBe((usd(2) - before) / 2n);
    expect(credited).toBeLessThanOrEqual(usd(2) - reduced);
    expect(credited).toBeGreaterThan(usd(2) - reduced - usd(0.3));
  };
  for (let n = 0; n < 8; n += 1) await race();
});

test("after all of this the books are in order", async () => {
  expect(await brokenBooks(db.pool)).toEqual([]);
});
