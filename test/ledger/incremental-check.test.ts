/** Hazard: a check of what is new that passes over something new, or that reads all there is. */
import { openPool, type OpenPool } from "@contingent/db/pool";
import { runBookCheck } from "@contingent/ledger/book-checks";
import { type CheckedBooks, checkBooksSince, checkBooksWithin } from "@contingent/ledger/check-books";
import { INVARIANTS } from "@contingent/ledger/invariants";
import { driveTo, partsOf } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DAMAGES } from "./damage.ts";
import { everyFate, type Names, plant, whileDamaged } from "./every-fate.ts";

let database: TestDatabase;
let pool: OpenPool;

async function open(): Promise<void> {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
}

async function close(): Promise<void> {
  await pool.end();
  await database.drop();
}

function broken({ invariants }: CheckedBooks): readonly number[] {
  return invariants.filter(({ violations }) => violations.length > 0).map(({ number }) => number);
}

async function brokenSince(xact: bigint | null): Promise<readonly number[]> {
  return broken(await checkBooksSince(pool, partsOf(pool).versions, xact));
}

async function now(): Promise<bigint> {
  return (await checkBooksSince(pool, partsOf(pool).versions, null)).untilXact;
}

describe("damage to what is new is reported as in the full check", () => {
  let before: bigint;
  let fates: Names;

  beforeAll(async () => {
    await open();
    await driveTo(pool, "closed");
    before = await now();
    fates = await everyFate(pool);
  });
  afterAll(close);

  test.each(DAMAGES.filter(({ onlyInFull }) => onlyInFull !== true).map((damage) => [damage.what, damage] as const))(
    "%s",
    async (_, { noticed, sql }) => {
      const reported = await whileDamaged(pool, sql, fates, async (client) =>
        broken(await checkBooksWithin(client, pool, partsOf(pool).versions, before)),
      );
      expect(reported.length).toBeGreaterThan(0);
      expect([...noticed].filter((number) => !reported.includes(number))).toEqual([]);
    },
  );
});

describe("a check since an earlier one", () => {
  beforeEach(open);
  afterEach(close);

  test("nothing is reported of books that are in order, whatever has been seen before", async () => {
    const beginning = await now();
    await everyFate(pool);
    const middle = await now();
    await everyFate(pool);
    for (const xact of [beginning, middle, await now()]) expect(await brokenSince(xact)).toEqual([]);
  });

  test("damage to what was seen before is left to the full check", async () => {
    const jobs = await everyFate(pool);
    const seen = await now();
    await driveTo(pool, "closed", { customerId: "cus_another" });
    await plant(pool, ["UPDATE job SET cost_known_nanos = cost_known_nanos + 1 WHERE id = '$charged'"], jobs);
    expect(await brokenSince(seen)).toEqual([]);
    expect(await brokenSince(null)).toEqual([9]);
  });

  describe("checks are written down", () => {
    const run = async (mode: "full" | "incremental") => {
      const check = await runBookCheck(pool, partsOf(pool).versions, mode);
      if (check === null) throw new Error("somebody else was checking");
      return check;
    };

    test("and an incremental one begins where the last clean one ended", async () => {
      const jobs = await everyFate(pool);
      expect(await run("incremental")).toMatchObject({ number: 1, mode: "full", isClean: true });
      await plant(pool, ["UPDATE job SET cost_known_nanos = cost_known_nanos + 1 WHERE id = '$charged'"], jobs);
      expect(await run("incremental")).toMatchObject({ number: 2, mode: "incremental", isClean: true });
      expect(await run("full")).toMatchObject({ number: 3, mode: "full", isClean: false });
      // What is wrong stays in view until it is mended: the next one begins before it again.
      const { rows } = await pool.query("SELECT since_xact::text, until_xact::text FROM book_check ORDER BY number");
      const after = await run("incremental");
      expect(after).toMatchObject({ number: 4, mode: "incremental" });
      const last = await pool.query("SELECT since_xact::text AS since_xact FROM book_check WHERE number = 4");
      expect(last.rows).toEqual([{ since_xact: (rows as { until_xact: string }[])[1]?.until_xact }]);
    });

    test("with all invariants, one at a time", async () => {
      await everyFate(pool);
      const { versions } = partsOf(pool);
      const checks = await Promise.all(["full", "full", "full"].map(() => runBookCheck(pool, versions, "full")));
      const made = checks.filter((check) => check !== null);
      expect(made.length).toBeGreaterThan(0);
      for (const { invariants } of made) expect(invariants).toHaveLength(INVARIANTS.length + 1);
    });
  });

  test("a transaction that was open during a check, and so not seen, is looked at by the next one", async () => {
    await driveTo(pool, "closed");
    const client = await pool.connect();
    await client.query("BEGIN; SET LOCAL session_replication_role = replica");
    await client.query(
      "INSERT INTO ledger_transaction (id, kind, key, job_id, currency) SELECT 'txn_slow', 'cost', 'cost:slow:x', id, 'USD' FROM job",
    );
    await runBookCheck(pool, partsOf(pool).versions, "full");
    await client.query("COMMIT");
    client.release();
    const check = await runBookCheck(pool, partsOf(pool).versions, "incremental");
    expect(check?.invariants.find(({ number }) => number === 1)?.violations).toEqual(["txn_slow has no postings"]);
  });
});
