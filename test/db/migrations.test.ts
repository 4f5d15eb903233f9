/** Hazard: a schema that is applied twice, by two at once, in part, or from files that have changed since. */
import { spawn } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { checkDatabase, EditedMigrationError, isMigrated, migrate, migrateWithin } from "@contingent/db/migrate";
import { openPool, type OpenPool, transaction } from "@contingent/db/pool";
import { emptyDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterEach, beforeEach, expect, test } from "vitest";

const MAIN = path.resolve(import.meta.dirname, "../../packages/db/src/migrate-main.ts");
const SHIPPED = path.resolve(import.meta.dirname, "../../packages/db/src/migrations");

let database: TestDatabase;
let pool: OpenPool;
let folder: string;

beforeEach(async () => {
  database = await emptyDatabase();
  pool = openPool(database.url, { applicationName: "test" });
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "contingent-migrations-"));
});

afterEach(async () => {
  await pool.end();
  await database.drop();
  await fs.rm(folder, { recursive: true });
});

/** A folder of migrations, as the location that `migrate` takes. */
async function migrations(files: Readonly<Record<string, string>>): Promise<URL> {
  for (const [name, sql] of Object.entries(files)) await fs.writeFile(path.join(folder, name), sql);
  return pathToFileURL(`${folder}/`);
}

async function tables(): Promise<readonly string[]> {
  const { rows } = await pool.query<{ relname: string }>(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname",
  );
  return rows.map((row) => row.relname);
}

test("an empty database is not ready for services; it gets the whole schema, and nothing the second time", async () => {
  expect(await isMigrated(pool)).toBe(false);
  await expect(checkDatabase(pool)).rejects.toThrow("run migrate-main.ts");
  expect(await migrate(database.url)).toEqual((await fs.readdir(SHIPPED)).toSorted());
  expect(await isMigrated(pool)).toBe(true);
  expect(await tables()).toEqual(expect.arrayContaining(["attempt", "job", "ledger_transaction", "posting"]));
  expect(await migrate(database.url)).toEqual([]);
  await checkDatabase(pool);
});

const AT_ONCE = 20;

test("of twenty that migrate an empty database at once one applies each file and the others find it done", async () => {
  const applied = await Promise.all(Array.from({ length: AT_ONCE }, () => migrate(database.url)));
  expect(applied.flat().toSorted()).toEqual((await fs.readdir(SHIPPED)).toSorted());
  expect(await isMigrated(pool)).toBe(true);
});

test("twenty processes that start at once on the schema of an earlier version bring it to the present one, each file once", async () => {
  const files = (await fs.readdir(SHIPPED)).toSorted();
  const earlier = new Set(files.slice(0, files.length / 2));
  await transaction(pool, (client) => migrateWithin(client, earlier));
  expect(await isMigrated(pool)).toBe(false);
  const ends = await Promise.all(Array.from({ length: AT_ONCE }, () => runMain({ DATABASE_URL: database.url })));
  expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
  const applied = ends.flatMap(({ said }) => said.match(/\d{4}_\w+\.sql/g) ?? []);
  expect(applied.toSorted()).toEqual(files.filter((file) => !earlier.has(file)));
  expect(await isMigrated(pool)).toBe(true);
});

test("a file that was edited after it had been applied is refused, and what follows it is not applied", async () => {
  const where = await migrations({ "0001_a.sql": "CREATE TABLE a (id int)" });
  await migrate(database.url, where);
  await migrations({ "0001_a.sql": "CREATE TABLE a (id bigint)", "0002_b.sql": "CREATE TABLE b (id int)" });
  await expect(migrate(database.url, where)).rejects.toThrow(EditedMigrationError);
  await expect(migrate(database.url, where)).rejects.toThrow("0001_a.sql was changed");
  expect(await tables()).toEqual(["a", "schema_migration"]);
});

test("a migration that fails leaves nothing of itself, and is applied whole once it is mended", async () => {
  const first = { "0001_a.sql": "CREATE TABLE a (id int)" };
  const where = await migrations({ ...first, "0002_b.sql": "CREATE TABLE b (id int); CREATE TABLE a (id int)" });
  await expect(migrate(database.url, where)).rejects.toThrow('relation "a" already exists');
  expect(await tables()).toEqual(["a", "schema_migration"]);
  await migrations({ "0002_b.sql": "CREATE TABLE b (id int)" });
  expect(await migrate(database.url, where)).toEqual(["0002_b.sql"]);
  expect(await tables()).toEqual(["a", "b", "schema_migration"]);
});

test("a database that lacks the newest migration is not called migrated", async () => {
  await migrate(database.url, await migrations({ "0001_a.sql": "CREATE TABLE a (id int)" }));
  expect(await isMigrated(pool)).toBe(false);
});

/** Runs the entry file that `npm start` and the images run. */
async function runMain(environment: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
  const env = { PATH: process.env["PATH"] ?? "", ...environment };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  return { code, said };
}

test("the command says what it applied, what it lacks, and what is in its way", async () => {
  const environment = { DATABASE_URL: database.url };
  expect(await runMain(environment)).toEqual({
    code: 0,
    said: expect.stringMatching(/^applied 0001_jobs\.sql, /) as unknown,
  });
  expect(await runMain(environment)).toEqual({ code: 0, said: "the schema is up to date\n" });
  expect(await runMain({})).toEqual({ code: 78, said: expect.stringContaining("DATABASE_URL is not set") as unknown });
  await pool.query("UPDATE schema_migration SET checksum = 'of other text' WHERE name = '0001_jobs.sql'");
  expect(await runMain(environment)).toEqual({ code: 1, said: expect.stringContaining("restore the file") as unknown });
});
