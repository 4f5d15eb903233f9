/** Hazard: something that is booked and never sealed, or sealed twice, or half. */
import type { JobId } from "@contingent/core/ids";
import { type Queryable, openPool, type OpenPool } from "@contingent/db/pool";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { horizonReached } from "@contingent/testkit/horizon";
import { acceptedJob, answer, claim, driveTo, happens, judge, take } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bookedByHand, head, legs } from "./by-hand.ts";
import { backdate, blocksOf, rollupFaults, sealAll } from "./sealing.ts";

let database: TestDatabase;
let pool: OpenPool;
/** What another process would have. */
let otherPool: OpenPool;

beforeEach(async () => {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
  otherPool = openPool(database.url, { applicationName: "test-other" });
});

afterEach(async () => {
  await Promise.all([pool.end(), otherPool.end()]);
  await database.drop();
});

async function bookedCount(): Promise<number> {
  const { rows } = await pool.query<{ n: number }>({ text: "SELECT count(*)::int AS n FROM ledger_transaction" });
  return rows[0]?.n ?? 0;
}

/** The chain holds, and every transaction stands in it. */
async function expectAllSealed(): Promise<void> {
  const transactions = await bookedCount();
  const report = await verifyChain(pool);
  expect(report).toMatchObject({ mismatch: null, strays: [], unsealed: 0, transactions });
  expect((await blocksOf(pool)).reduce((total, block) => total + block.transactions, 0)).toBe(transactions);
  expect(await rollupFaults(pool)).toEqual([]);
}

async function failed(): Promise<JobId> {
  const id = await acceptedJob(pool);
  await take(pool, id, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
  return id;
}

describe("sealing", () => {
  test("of books without a transaction makes no block", async () => {
    expect(await sealWindow(pool)).toEqual({ blocks: 0, transactions: 0, isMore: false });
    expect(await verifyChain(pool)).toEqual({
      blocks: 0,
      transactions: 0,
      head: null,
      mismatch: null,
      strays: [],
      unsealed: 0,
    });
  });

  test("goes on where it ended, and what is sealed is not sealed again", async () => {
    await driveTo(pool, "closed");
    await sealAll(pool);
    const before = await blocksOf(pool);
    expect(await sealWindow(pool)).toMatchObject({ blocks: 0, transactions: 0 });
    await failed();
    await sealAll(pool);
    const after = await blocksOf(pool);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBeGreaterThan(before.length);
    for (const [index, block] of after.entries()) {
      const previous = after[index - 1];
      expect([block.number, block.from_xact]).toEqual([index + 1, previous?.until_xact ?? "0"]);
    }
    await expectAllSealed();
  });

  test("makes a block for each day, in the order of the days", async () => {
    const [now, ago2, ago1] = [await driveTo(pool, "closed"), await driveTo(pool, "closed"), await failed()];
    await backdate(pool, ago2, 2);
    await backdate(pool, ago1, 1);
    expect(now).toBeDefined();
    // Else what is older is sealed in a window of its own, with the days in their order again.
    await horizonReached(pool);
    await sealAll(pool);
    const days = (await blocksOf(pool)).map((block) => block.day);
    expect(new Set(days).size).toBe(3);
    expect(days).toEqual(days.toSorted());
    await expectAllSealed();
  });

  test("takes a long history in rounds that end between database transactions", async () => {
    await Promise.all(Array.from({ length: 12 }, () => driveTo(pool, "closed")));
    await horizonReached(pool);
    const [first, second] = [await sealWindow(pool, 5), await sealWindow(pool, 5)];
    expect([first?.isMore, second?.isMore]).toEqual([true, true]);
    expect(first?.transactions).toBeGreaterThanOrEqual(5);
    await sealAll(pool, 5);
    expect((await blocksOf(pool)).length).toBeGreaterThan(2);
    await expectAllSealed();
  });
});

/** Opens a transaction and books a cost in it; it is not committed. */
async function beginToBook(client: Queryable, booked: ReturnType<typeof bookedByHand>): Promise<void> {
  await client.query({ text: "BEGIN" });
  await client.query(head(booked));
  await client.query(
    legs(booked, [
      ["cogs", "p:m", 5n],
      ["payable", "p", -5n],
    ]),
  );
}

describe("a transaction that runs for long", () => {
  test("is sealed after its end, with those that were committed meanwhile: nothing is lost", async () => {
    const job = await driveTo(pool, "attempting");
    await sealAll(pool);
    const sealedBefore = await bookedCount();
    const booked = bookedByHand("cost", job, "cost:att_long:reported");
    const slow = await otherPool.connect();
    try {
      await beginToBook(slow, booked);
      await driveTo(pool, "closed");
      await sealWindow(pool);
      const meanwhile = await verifyChain(pool);
      expect(meanwhile).toMatchObject({ mismatch: null, strays: [], transactions: sealedBefore });
      expect(meanwhile.unsealed).toBe((await bookedCount()) - sealedBefore);
      await slow.query("COMMIT");
    } finally {
      slow.release();
    }
    await sealAll(pool);
    await expectAllSealed();
  });

  test("and is rolled back leaves no gap", async () => {
    const job = await driveTo(pool, "attempting");
    const booked = bookedByHand("cost", job, "cost:att_gone:reported");
    const slow = await otherPool.connect();
    try {
      await beginToBook(slow, booked);
      await driveTo(pool, "closed");
      await slow.query("ROLLBACK");
    } finally {
      slow.release();
    }
    await sealAll(pool);
    expect((await blocksOf(pool)).length).toBeGreaterThan(0);
    await expectAllSealed();
  });
});

describe("several bookkeepers", () => {
  test("take turns: while one is at it the others leave it alone", async () => {
    await driveTo(pool, "closed");
    const guard = await otherPool.connect();
    try {
      await guard.query("BEGIN; LOCK TABLE margin_rollup IN ACCESS EXCLUSIVE MODE");
      const first = sealWindow(pool);
      await until(waitsForLock, { timeoutMs: 10_000, intervalMs: 5, what: "the first bookkeeper to be at it" });
      expect(await sealWindow(otherPool)).toBeNull();
      await guard.query("COMMIT");
      expect(await first).not.toBeNull();
    } finally {
      guard.release();
    }
    await sealAll(pool);
    await expectAllSealed();
  });

  test("seal everything once while jobs are being worked on", async () => {
    await driveTo(pool, "closed");
    await sealAll(pool);
    const done = new AbortController();
    const bookkeeping = [pool, otherPool, pool].map(async (each) => {
      while (!done.signal.aborted) await sealWindow(each, 7);
    });
    await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? failed() : driveTo(pool, "closed"))));
    done.abort();
    await Promise.all(bookkeeping);
    await sealAll(pool);
    expect((await blocksOf(pool)).length).toBeGreaterThan(1);
    await expectAllSealed();
  });

  test("cannot seal one window twice, even without the lock", async () => {
    await driveTo(pool, "closed");
    await sealAll(pool);
    const again = `
      INSERT INTO ledger_block (number, day, from_xact, until_xact, transactions, postings, hash, previous_hash)
      SELECT number + 1, day + 1, from_xact, until_xact, transactions, postings, hash, previous_hash FROM ledger_block WHERE number = 1`;
    await expect(pool.query(again)).rejects.toThrow(/ledger_block_previous_hash_key/);
    await expect(pool.query("DELETE FROM ledger_block")).rejects.toThrow(/only grows/);
  });
});

async function waitsForLock(): Promise<boolean> {
  const { rows } = await otherPool.query<{ waits: boolean }>(`
    SELECT EXISTS (SELECT FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'test' AND wait_event_type = 'Lock') AS waits`);
  return rows[0]?.waits === true;
}

test("a bookkeeper that dies in the middle of a round has done nothing of it", async () => {
  await driveTo(pool, "closed");
  await horizonReached(pool);
  const guard = await otherPool.connect();
  try {
    // The blocks are written first, the margins last: it dies between the two.
    await guard.query("BEGIN; LOCK TABLE margin_rollup IN ACCESS EXCLUSIVE MODE");
    const round = sealWindow(pool).then(
      () => "sealed",
      () => "died",
    );
    await until(waitsForLock, { timeoutMs: 10_000, intervalMs: 5, what: "the bookkeeper to reach the margins" });
    await otherPool.query(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'test' AND wait_event_type = 'Lock'`);
    expect(await round).toBe("died");
    await guard.query("COMMIT");
  } finally {
    guard.release();
  }
  expect(await blocksOf(pool)).toEqual([]);
  const { rows } = await pool.query("SELECT FROM account_movement UNION ALL SELECT FROM margin_rollup");
  expect(rows).toEqual([]);
  await sealAll(pool);
  await expectAllSealed();
});
