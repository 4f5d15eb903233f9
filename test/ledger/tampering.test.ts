/** Hazard: a sealed past that can be changed without anybody noticing. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import type { JobId } from "@contingent/core/ids";
import { openPool, type OpenPool } from "@contingent/db/pool";
import { contentOf, hashOf } from "@contingent/ledger/bookkeeping/chain";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { driveTo } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealAll, tamper } from "./sealing.ts";

const MAIN = path.resolve(import.meta.dirname, "../../packages/ledger/src/verify-chain-main.ts");

let database: TestDatabase;
let pool: OpenPool;

beforeEach(async () => {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

describe("what has been tampered with is found", () => {
  /** Three blocks, each a job's; the middle one is the one that is damaged. */
  async function threeBlocks(): Promise<JobId> {
    const ids: JobId[] = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push(await driveTo(pool, "closed"));
      await sealAll(pool);
    }
    return ids[1] ?? "job_none";
  }

  /** The block in which the capture of the job stands. */
  async function blockOf(job: JobId): Promise<number> {
    const { rows } = await pool.query<{ number: number }>({
      text: `SELECT b.number FROM ledger_block b JOIN ledger_transaction t ON t.xact >= b.from_xact AND t.xact < b.until_xact
              WHERE t.key = 'charge:' || $1`,
      values: [job],
    });
    return rows[0]?.number ?? 0;
  }

  const CAPTURE = "SELECT id FROM ledger_transaction WHERE key = 'charge:$job'";
  test.each([
    [
      "an amount is changed, on both sides",
      [`UPDATE posting SET amount_nanos = amount_nanos * 2 WHERE transaction_id = (${CAPTURE})`],
      /not those that were sealed/,
    ],
    [
      "a posting moves to another account",
      [
        `UPDATE posting SET account_of = 'cus_other' WHERE account_class = 'receivable:unbilled' AND transaction_id = (${CAPTURE})`,
      ],
      /not those that were sealed/,
    ],
    [
      "a posting is deleted",
      [`DELETE FROM posting WHERE account_class = 'revenue:accrued' AND transaction_id = (${CAPTURE})`],
      /postings were sealed/,
    ],
    [
      "a transaction is deleted, with its postings",
      [
        `DELETE FROM posting WHERE transaction_id = (${CAPTURE})`,
        "DELETE FROM ledger_transaction WHERE key = 'charge:$job'",
      ],
      /transactions were sealed/,
    ],
    ["a key is changed", ["UPDATE ledger_transaction SET key = 'charge:job_x' WHERE key = 'charge:$job'"], /not those/],
    [
      "a customer is changed",
      ["UPDATE ledger_transaction SET customer_id = 'cus_x' WHERE key = 'charge:$job'"],
      /not those/,
    ],
    [
      "a transaction is dated otherwise",
      ["UPDATE ledger_transaction SET dated_at = dated_at - interval '1 month' WHERE key = 'charge:$job'"],
      /not those/,
    ],
    [
      "a transaction moves to another day",
      ["UPDATE ledger_transaction SET at = at - interval '1 day' WHERE key = 'charge:$job'"],
      /transactions were sealed/,
    ],
    [
      "a transaction is put in among old ones",
      [
        `INSERT INTO ledger_transaction (id, kind, key, job_id, currency, at, xact)
         SELECT 'txn_x', 'cost', 'cost:att_x:reported', job_id, currency, at, xact FROM ledger_transaction WHERE key = 'charge:$job'`,
      ],
      /transactions were sealed/,
    ],
    ["a block's hash is changed", ["UPDATE ledger_block SET hash = sha256('x') WHERE number = $block"], /not those/],
    ["a block's day is changed", ["UPDATE ledger_block SET day = day - 1 WHERE number = $block"], /there are 0/],
    [
      "a block covers a wider window",
      ["UPDATE ledger_block SET from_xact = '1' WHERE number = $block"],
      /window does not begin/,
    ],
    [
      "a block follows another one",
      ["UPDATE ledger_block SET previous_hash = sha256('x') WHERE number = $block"],
      /does not follow/,
    ],
  ] as const)("%s", async (_, statements, expected) => {
    const job = await threeBlocks();
    const block = await blockOf(job);
    expect(block).toBeGreaterThan(1);
    const filled = statements.map((text) => text.replaceAll("$job", job).replaceAll("$block", String(block)));
    await tamper(pool, ...filled);
    const { mismatch } = await verifyChain(pool);
    expect(mismatch?.number).toBe(block);
    expect(mismatch?.what).toMatch(expected);
    // Looking from this block on is enough to find it.
    expect((await verifyChain(pool, { fromBlock: block })).mismatch?.number).toBe(block);
  });

  test("a block is deleted", async () => {
    const block = await blockOf(await threeBlocks());
    await tamper(pool, `DELETE FROM ledger_block WHERE number = ${block}`);
    expect((await verifyChain(pool)).mismatch).toEqual({ number: block + 1, what: `block ${block} is missing` });
  });

  test("a block is computed again after its postings were changed: the next one covers what it was", async () => {
    const block = await blockOf(await threeBlocks());
    const inside = `transaction_id IN (SELECT id FROM ledger_transaction t JOIN ledger_block b ON b.number = ${block}
                                        WHERE t.xact >= b.from_xact AND t.xact < b.until_xact)`;
    const hash = hashOf({
      previous: "b.previous_hash",
      number: "b.number",
      day: "b.day",
      from: "b.from_xact",
      until: "b.until_xact",
      transactions: "b.transactions",
      postings: "b.postings",
      content: "c.content",
    });
    const recomputed = `SELECT ${hash} AS hash FROM ledger_block b, LATERAL (${contentOf("b.from_xact", "b.until_xact")}) c
                         WHERE c.day = b.day AND b.number = ${block}`;
    await tamper(
      pool,
      `UPDATE posting SET amount_nanos = amount_nanos * 2 WHERE ${inside}`,
      `UPDATE ledger_block SET hash = (${recomputed}) WHERE number = ${block}`,
      `UPDATE ledger_block SET previous_hash = (${recomputed}) WHERE number = ${block} + 1`,
    );
    expect((await verifyChain(pool)).mismatch).toMatchObject({
      number: block + 1,
      what: expect.stringMatching(/^its tra/) as unknown,
    });
  });

  test("a transaction stands behind the chain, on a day that has no block there", async () => {
    const job = await threeBlocks();
    await tamper(
      pool,
      `INSERT INTO ledger_transaction (id, kind, key, job_id, currency, at, xact)
       SELECT 'txn_x', 'cost', 'cost:att_x:reported', job_id, currency, at - interval '3 days', xact
         FROM ledger_transaction WHERE key = 'charge:${job}'`,
    );
    const { mismatch, strays } = await verifyChain(pool);
    expect({ mismatch, strays }).toEqual({ mismatch: null, strays: [expect.stringContaining("txn_x")] });
  });

  test("a posting belongs to nothing", async () => {
    const job = await threeBlocks();
    await tamper(
      pool,
      `INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency, xact)
       SELECT 'txn_none', seq, kind, account_class, account_of, amount_nanos, currency, xact FROM posting
        WHERE transaction_id = (${CAPTURE.replace("$job", job)})`,
    );
    const { mismatch, strays } = await verifyChain(pool);
    expect(mismatch).toBeNull();
    expect(strays).toContainEqual(expect.stringContaining("txn_none"));
  });

  test("the end of the chain is rewritten, by a hash that was kept elsewhere", async () => {
    const job = await threeBlocks();
    const kept = (await verifyChain(pool)).head;
    if (kept === null) throw new Error("there is no block");
    expect((await verifyChain(pool, { anchor: kept })).mismatch).toBeNull();
    const block = await blockOf(job);
    await tamper(
      pool,
      `UPDATE posting SET amount_nanos = amount_nanos * 2 WHERE transaction_id = (${CAPTURE.replace("$job", job)})`,
      `DELETE FROM ledger_block WHERE number >= ${block}`,
      "DELETE FROM account_movement",
      "DELETE FROM margin_rollup",
    );
    await sealAll(pool);
    expect((await verifyChain(pool)).mismatch).toBeNull();
    expect((await verifyChain(pool, { anchor: kept })).mismatch?.what).toMatch(/kept elsewhere/);
  });
});

describe("the command behind npm run verify:chain", () => {
  const run = (url: string, ...args: readonly string[]): { status: number | null; out: string; err: string } => {
    const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: url };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { env, encoding: "utf8" });
    return { status, out: stdout, err: stderr };
  };

  test("says what holds, names the block to keep, and fails when one is broken or differs from the one that was kept", async () => {
    await driveTo(pool, "closed");
    await sealAll(pool);
    const fine = run(database.url);
    expect(fine).toMatchObject({ status: 0, err: "" });
    const [, kept] = /is (\d+:[0-9a-f]{64})\n$/.exec(fine.out) ?? [];
    expect(kept).toBeDefined();
    expect(run(database.url, kept ?? "").status).toBe(0);
    const other = `1:${"0".repeat(64)}`;
    expect(run(database.url, other)).toMatchObject({
      status: 1,
      out: expect.stringMatching(/^BROKEN at block 1: /) as unknown,
    });
    await tamper(pool, "UPDATE posting SET amount_nanos = amount_nanos * 2 WHERE kind = 'capture'");
    expect(run(database.url)).toMatchObject({ status: 1, out: expect.stringMatching(/^BROKEN at block /) as unknown });
  });

  test("says what it is missing", () => {
    expect(run("")).toMatchObject({ status: 78, err: expect.stringContaining("DATABASE_URL is not set") as unknown });
    expect(run(database.url, "12")).toMatchObject({
      status: 64,
      err: expect.stringContaining("<number>:<hash>") as unknown,
    });
    const elsewhere = new URL(database.url);
    elsewhere.pathname = "/template1";
    expect(run(elsewhere.href)).toMatchObject({ status: 2, err: expect.stringContaining("cannot be read") as unknown });
  });
});
