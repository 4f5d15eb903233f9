/** Hazard: a margin, or a round of bookkeeping, that takes longer the more jobs there ever were. */
import { openPool, type OpenPool } from "@contingent/db/pool";
import { type MarginDimension, marginStatement } from "@contingent/ledger/bookkeeping/margin";
import { acceptedJob, answer, claim, driveTo, happens, judge, take } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rowsTouched, statementsOf } from "./rows-touched.ts";
import { blocksOf, sealAll, tamper } from "./sealing.ts";

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

const DIMENSIONS: readonly (readonly MarginDimension[])[] = [
  ["outcome_type"],
  ["day", "customer", "outcome_type_version", "tier", "model"],
];

async function ofMargins(): Promise<readonly number[]> {
  return await Promise.all(
    DIMENSIONS.map((each) => rowsTouched(pool, marginStatement(each), [null, null, null, null])),
  );
}

/** Jobs that are delivered and jobs that fail, closed and sealed. */
async function history(count: number): Promise<void> {
  const fail = async (): Promise<void> => {
    const id = await acceptedJob(pool);
    await take(pool, id, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
  };
  await Promise.all(
    Array.from({ length: count }, async (_, n) => (n % 4 === 0 ? fail() : void (await driveTo(pool, "closed")))),
  );
  await sealAll(pool);
}

test("a margin looks at roll-ups and at what is not sealed yet, however many jobs there were", async () => {
  await history(20);
  await pool.query("ANALYZE");
  const few = await ofMargins();
  expect(Math.max(...few)).toBeLessThan(100);
  await history(200);
  expect(await ofMargins(), "by statistics from before").toEqual(few);
  await pool.query("ANALYZE");
  expect(await ofMargins(), "by statistics of what there is").toEqual(few);
  await driveTo(pool, "closed");
  const withTail = await ofMargins();
  expect(Math.max(...withTail), "with a job that is not sealed").toBeLessThan(200);
});

/** How many rows a round looks at when there is one more job to seal. */
async function ofRound(): Promise<number> {
  const before = (await blocksOf(pool)).length;
  await driveTo(pool, "closed");
  const statements = await statementsOf(() => sealAll(pool));
  // Once more, as if it had not been sealed, and undone: the statements that read the books and write.
  await tamper(pool, `DELETE FROM ledger_block WHERE number > ${before}`);
  const writing = new Map(
    statements.filter(({ text }) => text.includes("INSERT INTO")).map((each) => [each.text, each]),
  );
  expect(writing.size).toBe(3);
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    let touched = 0;
    for (const { text, values } of writing.values()) touched += await rowsTouched(client, text, values);
    return touched;
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

test("a round of bookkeeping looks at what is new, however many jobs there were", async () => {
  await history(20);
  await pool.query("ANALYZE");
  const few = await ofRound();
  await history(200);
  expect(await ofRound(), "by statistics from before").toBeLessThan(few * 2);
  await pool.query("ANALYZE");
  expect(await ofRound(), "by statistics of what there is").toBeLessThan(few * 2);
});
