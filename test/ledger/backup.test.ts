/** Hazard: a backup that cannot be restored, that is not of one instant, or whose books do not go on. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { backUp } from "@contingent/db/backup/backup";
import { encodeFrame, type Frame, framesOf } from "@contingent/db/backup/frames";
import { restore } from "@contingent/db/backup/restore";
import { verifyBackup } from "@contingent/db/backup/verify";
import { lockSchema } from "@contingent/db/migrate";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { type OpenPool, openPool, type Pool } from "@contingent/db/pool";
import { runBookCheck } from "@contingent/ledger/book-checks";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { checkBooks } from "@contingent/ledger/check-books";
import { acceptedJob, driveTo, happens, take } from "@contingent/testkit/jobs";
import { emptyDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { until } from "@contingent/testkit/until";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { schemaOf } from "../db/schema-of.ts";
import { everyFate } from "./every-fate.ts";
import { rollupFaults, sealAll } from "./sealing.ts";

const db = databaseOfThisFile();
/** As if the books had been kept on a server with a long history, so that the numbers of transactions begin anew elsewhere. */
const AHEAD = 5_000_000;
/** A command ends when its work is done: less than the driver waits for an answer. */
const COMMAND_TIMEOUT_MS = 25_000;

let folder: string;
let file: string;
let target: TestDatabase;
let restored: OpenPool;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-backup-"));
  file = path.join(folder, "of-everything.backup");
  const as = (number: string): string => `'SELECT (${number}::text::bigint + ${AHEAD})::text::xid8'`;
  await db.pool.query(
    `CREATE OR REPLACE FUNCTION books_xact() RETURNS xid8 LANGUAGE sql STABLE AS ${as("pg_current_xact_id()")};
     CREATE OR REPLACE FUNCTION books_horizon() RETURNS xid8 LANGUAGE sql STABLE AS ${as("pg_snapshot_xmin(pg_current_snapshot())")}`,
  );
  await everyFate(db.pool);
  await sealAll(db.pool, 10);
  await runBookCheck(db.pool, outcomeTypeVersions(db.pool), "full");
  // Not sealed yet.
  await driveTo(db.pool, "closed");
  await backUp(db.url, file);
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

beforeEach(async () => {
  target = await emptyDatabase();
  restored = openPool(target.url, { applicationName: "test" });
});
afterEach(async () => {
  await restored.end();
  await target.drop();
});

async function tablesOf(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

/** Every row of every table, but for when migrations were applied. */
async function contentsOf(pool: Pool): Promise<Readonly<Record<string, readonly string[]>>> {
  const contents: Record<string, readonly string[]> = {};
  for (const name of await tablesOf(pool)) {
    const text = `SELECT (to_jsonb(t) - 'applied_at')::text AS row FROM ${name} t ORDER BY 1`;
    contents[name] = (await pool.query<{ row: string }>({ text })).rows.map(({ row }) => row);
  }
  return contents;
}

async function broken(pool: Pool): Promise<readonly unknown[]> {
  return (await checkBooks(pool, outcomeTypeVersions(pool))).filter(({ violations }) => violations.length > 0);
}

/** The frames of a backup. */
async function framesOfFile(name: string): Promise<Frame[]> {
  const unpacked = gunzipSync(fs.readFileSync(name));
  const frames: Frame[] = [];
  for await (const frame of framesOf(pieces(unpacked))) frames.push(frame);
  return frames;
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += 1_000) yield bytes.subarray(from, from + 1_000);
}

function written(name: string, bytes: Buffer): string {
  const changed = path.join(folder, name);
  fs.writeFileSync(changed, bytes);
  return changed;
}

describe("what was restored", () => {
  let copy: TestDatabase;
  let pool: OpenPool;
  let report: Awaited<ReturnType<typeof restore>>;
  beforeAll(async () => {
    copy = await emptyDatabase();
    report = await restore(copy.url, file);
    pool = openPool(copy.url, { applicationName: "test" });
  });
  afterAll(async () => {
    await pool.end();
    await copy.drop();
  });

  test("is what was backed up, to the row, with every guard of the schema", async () => {
    const before = await contentsOf(db.pool);
    expect(Object.values(before).filter((rows) => rows.length > 0).length).toBeGreaterThan(20);
    expect(report).toMatchObject({ tables: Object.keys(before).length - 1, migrated: [] });
    expect(await contentsOf(pool)).toEqual(before);
    // How far ahead the books count is each database's own.
    const ahead = (line: string): string => line.replace(/(::bigint \+ )\d+/, "$1n");
    expect((await schemaOf(pool)).map(ahead)).toEqual((await schemaOf(db.pool)).map(ahead));
  });

  test("has sound books whose chain is whole, which are sealed further where they were not, and go on", async () => {
    const before = await verifyChain(pool);
    expect(before).toMatchObject({ mismatch: null, strays: [] });
    expect(before.blocks).toBeGreaterThan(1);
    expect(before.unsealed).toBeGreaterThan(0);
    expect(await broken(pool)).toEqual([]);
    await driveTo(pool, "closed");
    await sealAll(pool);
    const after = await verifyChain(pool);
    expect(after).toMatchObject({ mismatch: null, strays: [], unsealed: 0 });
    expect(after.blocks).toBeGreaterThan(before.blocks);
    expect(await rollupFaults(pool)).toEqual([]);
    const check = await runBookCheck(pool, outcomeTypeVersions(pool), "incremental");
    expect(check).toMatchObject({ mode: "incremental", isClean: true });
    // Numbers that the database gives go on behind those that were restored.
    expect(check?.number).toBe(2);
  });

  test("can be backed up and restored again", async () => {
    const again = path.join(folder, "again.backup");
    await backUp(copy.url, again);
    await restore(target.url, again);
    await driveTo(restored, "closed");
    await sealAll(restored);
    expect(await verifyChain(restored)).toMatchObject({ mismatch: null, strays: [], unsealed: 0 });
  });
});

test("an owner of the tables backs up and restores, who is no superuser and for whom row-level security holds", async () => {
  const owner = await ownerOf(target);
  try {
    await restore(owner.url, file);
    const again = path.join(folder, "by-the-owner.backup");
    await backUp(owner.url, again);
    const frames = await framesOfFile(again);
    expect(frames.filter(({ kind }) => kind === "rows").length).toBeGreaterThan(20);
    const rowsOf = (all: readonly Frame[]): readonly Frame[] => all.filter(({ kind }) => kind === "table_end");
    expect(rowsOf(frames)).toEqual(rowsOf(await framesOfFile(file)));
    expect(await broken(restored)).toEqual([]);
  } finally {
    await owner.drop();
  }
});

/** A login that owns the database, and may act as the roles of services, as an operator has it on somebody else's server. */
async function ownerOf({ url }: TestDatabase): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = new URL(url).pathname.slice(1);
  await restored.query(
    `CREATE ROLE owner_of_${name} LOGIN PASSWORD 'of a test' NOSUPERUSER CREATEROLE;
     GRANT contingent_service, contingent_ledger, contingent_tenant TO owner_of_${name};
     ALTER DATABASE ${name} OWNER TO owner_of_${name};
     ALTER SCHEMA public OWNER TO owner_of_${name}`,
  );
  const own = new URL(url);
  own.username = `owner_of_${name}`;
  own.password = "of a test";
  const drop = async (): Promise<void> => {
    await restored.query(`DROP OWNED BY owner_of_${name} CASCADE; REASSIGN OWNED BY owner_of_${name} TO CURRENT_USER`);
    await restored.query(`DROP ROLE owner_of_${name}`);
  };
  return { url: own.href, drop };
}

test("a backup of a system that is at work is of one instant: its books are sound", async () => {
  const live = path.join(folder, "live.backup");
  const done = new AbortController();
  const work = Array.from({ length: 4 }, async () => {
    while (!done.signal.aborted) await take(db.pool, await acceptedJob(db.pool), happens("cancel"), happens("settled"));
  });
  await backUp(db.url, live);
  done.abort();
  await Promise.all(work);
  await restore(target.url, live);
  expect(await broken(restored)).toEqual([]);
});

describe("refused is, and nothing is left of it,", () => {
  const REFUSED: Readonly<Record<string, [change: (frames: Frame[]) => Frame[], says: string]>> = {
    "a backup with a row that was changed": [changed, "the rows of"],
    "one with rows left out": [
      (frames) =>
        frames.toSpliced(
          frames.findIndex(({ kind }) => kind === "rows"),
          1,
        ),
      "the rows of",
    ],
    "one without its end": [(frames) => frames.slice(0, -1), "its end is missing"],
    "one without a table": [withoutLastTable, "it lacks tables"],
    "one of a later version": [ofLaterVersion, "has no migration 9999_later.sql"],
  };
  test.each(Object.entries(REFUSED))("%s", async (name, [change, says]) => {
    const frames = change(await framesOfFile(file));
    const bad = written(`${name}.backup`, gzipSync(Buffer.concat(frames.map(encodeFrame))));
    await expect(restore(target.url, bad)).rejects.toThrow(says);
    expect(await tablesOf(restored)).toEqual([]);
  });

  test("a file that was cut off, changed, or is none of ours", async () => {
    const bytes = fs.readFileSync(file);
    const flipped = Buffer.from(bytes);
    const middle = Math.floor(flipped.length / 2);
    flipped.writeUInt8(flipped.readUInt8(middle) ^ 1, middle);
    const files: Readonly<Record<string, [Buffer, RegExp]>> = {
      "cut off": [bytes.subarray(0, middle), /cannot be unpacked/],
      changed: [flipped, /cannot be unpacked|far too long|does not know|cannot read|not those|not in order/],
      "none of ours": [Buffer.from("no backup"), /cannot be unpacked/],
      empty: [Buffer.alloc(0), /cannot be unpacked|no beginning/],
    };
    for (const [name, [bad, says]] of Object.entries(files)) {
      await expect(restore(target.url, written(name, bad)), name).rejects.toThrow(says);
      expect(await tablesOf(restored)).toEqual([]);
    }
  });

  test("a database that is not empty, and a file that is there already", async () => {
    await restored.query("CREATE TABLE somebody_elses (id int)");
    await expect(restore(target.url, file)).rejects.toThrow("not empty");
    const size = fs.statSync(file).size;
    await expect(backUp(db.url, file)).rejects.toThrow("is there already");
    expect(fs.statSync(file).size).toBe(size);
  });

  test("a database in which somebody else makes a schema at the same moment", async () => {
    const other = await restored.connect();
    await other.query("BEGIN");
    await lockSchema(other);
    await other.query("CREATE TABLE somebody_elses (id int)");
    const end = restore(target.url, file).then(() => "restored", String);
    const waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    await until(async () => (await restored.query(waits)).rowCount === 1, { timeoutMs: 60_000, what: "it to wait" });
    await other.query("COMMIT");
    other.release();
    expect(await end).toContain("not empty");
    expect(await tablesOf(restored)).toEqual(["somebody_elses"]);
  });

  test("the second of two backups to one file; the first is whole", async () => {
    const once = path.join(folder, "once.backup");
    const ends = await Promise.allSettled([backUp(db.url, once), backUp(db.url, once)]);
    const refusals = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
    expect(refusals).toEqual([expect.stringContaining("is there already")]);
    await verifyBackup(once);
    expect(fs.readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("the backup of a database with another schema", async () => {
    await expect(backUp(target.url, path.join(folder, "none"))).rejects.toThrow("not the schema of this version");
    expect(fs.existsSync(path.join(folder, "none"))).toBe(false);
  });
});

test("the commands say what they did, and what is in their way", async () => {
  const made = path.join(folder, "by-command.backup");
  expect(await run("backup", db.url, ["--to", made])).toEqual({
    code: 0,
    said: expect.stringMatching(/ rows of \d+ tables, /) as unknown,
  });
  expect(fs.statSync(made).mode & 0o777).toBe(0o600);
  expect(await run("restore", target.url, ["--from", made])).toEqual({
    code: 0,
    said: expect.stringContaining("restored") as unknown,
  });
  expect(await run("restore", target.url, ["--from", made])).toEqual({
    code: 1,
    said: expect.stringContaining("not empty") as unknown,
  });
  expect(await run("restore", target.url, [])).toEqual({ code: 64, said: "name the file: --from <file>\n" });
});

async function run(
  command: string,
  url: string,
  args: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const main = path.resolve(import.meta.dirname, `../../packages/db/src/${command}-main.ts`);
  const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: url };
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(process.execPath, [main, ...args], { env, stdio, timeout: COMMAND_TIMEOUT_MS });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  return { code, said };
}

/** One letter of one row, as a disk might do it; the hash knows. */
function changed(frames: Frame[]): Frame[] {
  const at = frames.findIndex((frame) => frame.kind === "rows" && frame.bytes.includes("A customer of a test"));
  const frame = frames[at];
  if (frame?.kind !== "rows") throw new Error("there is nothing to change");
  const bytes = Buffer.from(frame.bytes.toString("utf8").replace("A customer of a test", "a customer of a test"));
  return frames.with(at, { kind: "rows", bytes });
}

function withoutLastTable(frames: Frame[]): Frame[] {
  const from = frames.findLastIndex(({ kind }) => kind === "table");
  const until = frames.findLastIndex(({ kind }) => kind === "table_end");
  return frames.toSpliced(from, until - from + 1);
}

function ofLaterVersion(frames: Frame[]): Frame[] {
  const [header] = frames;
  if (header?.kind !== "header") throw new Error("there is no header");
  const migrations = [...header.value.migrations, { name: "9999_later.sql", checksum: "of later" }];
  return frames.with(0, { kind: "header", value: { ...header.value, migrations } });
}
