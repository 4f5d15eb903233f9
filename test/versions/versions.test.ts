/**
 * Hazard: a deployment. What earlier versions have stored is read by this one, and what they say while both run is taken by
 * the schema of this one. A backup of theirs is brought to the present schema; time has passed since then.
 */
import { jobMessageSchema } from "@contingent/contracts/messages/catalog";
import type { JobId } from "@contingent/core/ids";
import { restore } from "@contingent/db/backup/restore";
import { jobViews } from "@contingent/db/job-views";
import { newestMigration } from "@contingent/db/migrate";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { type OpenPool, openPool, type Pool } from "@contingent/db/pool";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { checkBooks } from "@contingent/ledger/check-books";
import { driveTo, happens, partsOf, take } from "@contingent/testkit/jobs";
import { emptyDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { schemaOf } from "../db/schema-of.ts";
import { sealAll } from "../ledger/sealing.ts";
import { BACKUPS, backupFile, lastSession } from "./recorded.ts";

const present = databaseOfThisFile();
let database: TestDatabase;
let pool: OpenPool;

beforeEach(async () => {
  database = await emptyDatabase();
  pool = openPool(database.url, { applicationName: "test" });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

describe.each(BACKUPS)("what the version of %s has stored", (name) => {
  test("becomes the present schema, is read as it is, and is finished as if no time had passed", async () => {
    const { migrated } = await restore(database.url, backupFile(name));
    expect(migrated).toContain(await newestMigration());
    expect(await schemaWithoutNumbers(pool)).toEqual(await schemaWithoutNumbers(present.pool));
    const jobs = await jobIds(pool);
    expect(jobs.length).toBeGreaterThan(10);
    const view = jobViews(pool, PLAIN);
    const { loader } = partsOf(pool);
    for (const id of jobs) {
      expect((await view(id))?.id).toBe(id);
      const loaded = await Promise.all([loader.forAttempt(id), loader.forValidation(id), loader.forSettlement(id)]);
      for (const each of loaded) expect(each?.job.id).toBe(id);
    }
    await finishAll(pool);
    // By this version, beside them.
    await driveTo(pool, "closed");
    await sealAll(pool);
    expect(await verifyChain(pool)).toMatchObject({ mismatch: null, strays: [], unsealed: 0 });
    expect(await broken(pool)).toEqual([]);
  });
});

test("a process of the version before this one accepts, works on and settles jobs on the present schema", async () => {
  const { backup, texts, session } = lastSession();
  await restore(database.url, backupFile(backup));
  const before = new Set(await jobIds(pool));
  const client = await pool.connect();
  try {
    for (const [text, values] of session) await client.query(texts[text] ?? "", [...values]);
  } finally {
    client.release();
  }
  const { rows } = await pool.query<{ state: string; outcome_key: string | null; billed: boolean }>(
    `SELECT state, outcome_key, EXISTS (SELECT FROM charge WHERE job_id = job.id) AS billed FROM job
      WHERE NOT id = ANY ($1) ORDER BY id`,
    [[...before]],
  );
  expect(rows).toHaveLength(2);
  expect(rows[0]).toEqual({ state: "closed", outcome_key: "by-an-old-process", billed: true });
  expect(rows[1]).toMatchObject({ outcome_key: null, billed: false });
  await finishAll(pool);
  expect(await broken(pool)).toEqual([]);
});

test("messages of every version so far are read, and those of a later one as far as they are known", () => {
  const known = { jobId: "job_01kavm4wtcgq3t1x6dwmrz9b5e", revision: 3 };
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  for (const message of [{ ...known, traceparent }, { ...known, traceparent: null }, known]) {
    expect(jobMessageSchema.parse(message)).toEqual({ traceparent: null, ...message });
  }
  const later = { ...known, traceparent: "of a form that is still to come", priority: 7, hint: { tier: "fast" } };
  expect(jobMessageSchema.parse(later)).toEqual({ ...known, traceparent: null });
});

async function jobIds(db: Pool): Promise<readonly JobId[]> {
  return (await db.query<{ id: JobId }>("SELECT id FROM job ORDER BY id")).rows.map(({ id }) => id);
}

/** How far ahead restored books count is each database's own. */
async function schemaWithoutNumbers(db: Pool): Promise<readonly string[]> {
  return (await schemaOf(db)).filter((line) => !/"books_(xact|horizon)"/.test(line));
}

async function broken(db: Pool): Promise<readonly unknown[]> {
  return (await checkBooks(db, outcomeTypeVersions(db))).filter(({ violations }) => violations.length > 0);
}

/** Every job's lease, window or deadline is long over: as the sweeper and the ledger would, until all are closed. */
async function finishAll(db: Pool): Promise<void> {
  const { rows } = await db.query<{ id: JobId }>("SELECT id FROM job WHERE state <> 'closed'");
  for (const { id } of rows) {
    let { state } = (await partsOf(db).loader.forSettlement(id))?.job ?? { state: "closed" };
    while (state !== "closed") ({ state } = await take(db, id, happens(state === "settling" ? "settled" : "woke")));
  }
}
