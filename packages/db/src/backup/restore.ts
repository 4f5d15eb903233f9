/**
 * A backup becomes a database again: all of it in one transaction, or nothing. The schema is made by the migrations that the
 * backup's database had, the rows are loaded, and those migrations follow that are younger.
 *
 * While rows are loaded the tables' own triggers are off, for what they check was checked when the rows were first written,
 * and foreign keys are taken away and made again, which looks every reference up. Uniqueness and CHECKs hold throughout.
 */
import { pipeline } from "node:stream/promises";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { lockSchema, migrateWithin, readMigrations } from "../migrate.ts";
import { openPool, readWholeTables } from "../pool.ts";
import { foreignKeysOf, isEmpty, quoted, type Table, tablesOf, xactColumnsOf } from "./catalog.ts";
import { DamagedBackupError, type Frame, type Header, type Sequences } from "./frames.ts";
import { readBackup, verifyBackup } from "./verify.ts";

export interface RestoreReport {
  readonly madeAt: string;
  readonly tables: number;
  readonly rows: number;
  /** Migrations that came after the backup. */
  readonly migrated: readonly string[];
}

/** The backup must not become this database; the message says what to do. */
export class RestoreRefusedError extends Error {
  override readonly name = "RestoreRefusedError";
}

const NO_TIMEOUT_MS = 0;
/** For indexes and references that are made anew. */
const MAINTENANCE_MEMORY = "256MB";

/**
 * Restores a backup into an empty database.
 * @throws RestoreRefusedError when the database is not empty, or the backup is of another version
 * @throws DamagedBackupError when the file is not as it was written; nothing of it is restored then
 */
export async function restore(url: string, file: string): Promise<RestoreReport> {
  const header = await verifyBackup(file);
  const known = await knownMigrations(header);
  const pool = openPool(url, { applicationName: "contingent-restore", connectionsMax: 1, isPatient: true });
  try {
    const loaded = await loadInto(pool, known, readBackup(file));
    await pool.query("ANALYZE");
    return { madeAt: header.made_at, ...loaded };
  } finally {
    await pool.end();
  }
}

/** The migrations of the backup, each of which this version must have, unchanged. */
async function knownMigrations({ migrations }: Header): Promise<ReadonlySet<string>> {
  const own = new Map((await readMigrations()).map(({ name, checksum }) => [name, checksum]));
  for (const { name, checksum } of migrations) {
    if (own.get(name) === checksum) continue;
    const what = own.has(name) ? "has another" : "has no";
    throw new RestoreRefusedError(
      `The backup is of another version: this one ${what} migration ${name}. Restore it with the version that made it, or a later one.`,
    );
  }
  return new Set(migrations.map(({ name }) => name));
}

/** Schema, rows and what has become of the schema since then, in one transaction. */
async function loadInto(
  pool: pg.Pool,
  known: ReadonlySet<string>,
  frames: AsyncGenerator<Frame>,
): Promise<Omit<RestoreReport, "madeAt">> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    // What somebody migrates just now is not seen before they are done; a system that starts here must not be overwritten.
    await lockSchema(client);
    if (!(await isEmpty(client))) {
      throw new RestoreRefusedError("The database is not empty. Give a new one, or drop what is there.");
    }
    await migrateWithin(client, known);
    await readWholeTables(client, NO_TIMEOUT_MS);
    await client.query(`SET LOCAL maintenance_work_mem = '${MAINTENANCE_MEMORY}'`);
    const tables = new Map((await tablesOf(client)).map((table) => [table.name, table]));
    const restoreGuards = await withoutGuards(client, [...tables.values()]);
    const rows = await loadAll(client, tables, frames);
    await restoreGuards();
    const migrated = await migrateWithin(client);
    await countOnFromHere(client);
    await client.query("COMMIT");
    return { tables: tables.size, rows, migrated };
  } finally {
    // Closed, not kept: where it failed in the middle of a table, nothing else can be asked on it.
    client.release(true);
  }
}

/** @returns what puts them back */
async function withoutGuards(client: pg.PoolClient, tables: readonly Table[]): Promise<() => Promise<void>> {
  const keys = await foreignKeysOf(client);
  const say = async (statements: readonly string[]): Promise<void> => {
    if (statements.length > 0) await client.query(statements.join(";\n"));
  };
  await say(keys.map(({ table, name }) => `ALTER TABLE ${quoted(table)} DROP CONSTRAINT ${quoted(name)}`));
  await say(tables.map(({ name }) => `ALTER TABLE ${quoted(name)} DISABLE TRIGGER USER`));
  const forced = tables.filter(({ isForced }) => isForced);
  await say(forced.map(({ name }) => `ALTER TABLE ${quoted(name)} NO FORCE ROW LEVEL SECURITY`));
  // What migrations have put there is in the backup as well, as it was by then.
  await say([`TRUNCATE ${tables.map(({ name }) => quoted(name)).join(", ")}`]);
  return async () => {
    await say(
      keys.map(
        ({ table, name, definition }) => `ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${quoted(name)} ${definition}`,
      ),
    );
    await say(tables.map(({ name }) => `ALTER TABLE ${quoted(name)} ENABLE TRIGGER USER`));
    await say(forced.map(({ name }) => `ALTER TABLE ${quoted(name)} FORCE ROW LEVEL SECURITY`));
  };
}

/** Loads every table of the backup: the very ones that the schema has. @returns how many rows there were */
async function loadAll(
  client: pg.PoolClient,
  tables: ReadonlyMap<string, Table>,
  frames: AsyncGenerator<Frame>,
): Promise<number> {
  const missing = new Set(tables.keys());
  let rows = 0;
  for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
    const { value: frame } = next;
    if (frame.kind === "table") {
      const { table, columns } = frame.value;
      if (!missing.delete(table)) throw new DamagedBackupError(`its schema has no table ${table}`);
      rows += await loadTable(client, table, columns, frames);
    } else if (frame.kind === "sequences") {
      await setSequences(client, frame.value);
    }
  }
  if (missing.size > 0) throw new DamagedBackupError(`it lacks the table ${[...missing].join(", ")}`);
  return rows;
}

async function loadTable(
  client: pg.PoolClient,
  table: string,
  columns: readonly string[],
  frames: AsyncGenerator<Frame>,
): Promise<number> {
  const copying = client.query(copyFrom(`COPY ${quoted(table)} (${columns.map(quoted).join(", ")}) FROM STDIN`));
  await pipeline(rowsOf(frames), copying);
  return copying.rowCount;
}

/** The rows of the table that has begun. Its end is taken as well. */
async function* rowsOf(frames: AsyncGenerator<Frame>): AsyncGenerator<Buffer> {
  for (let next = await frames.next(); next.done !== true; next = await frames.next()) {
    if (next.value.kind !== "rows") return;
    yield next.value.bytes;
  }
}

async function setSequences(client: pg.PoolClient, sequences: Sequences): Promise<void> {
  for (const { name, last, is_called: isCalled } of sequences) {
    await client.query("SELECT setval($1::regclass, $2::text::bigint, $3)", [quoted(name), last, isCalled]);
  }
}

/**
 * Lets the books count on from where the restored ones have ended (0024_restored_books.sql): the numbers of database
 * transactions begin anew on another server, and what is sealed by the old ones must stay before what comes.
 */
async function countOnFromHere(client: pg.PoolClient): Promise<void> {
  const columns = await xactColumnsOf(client);
  const highest = columns.map(
    ({ table, column }) => `SELECT max(${quoted(column)}::text::bigint) AS xact FROM ${quoted(table)}`,
  );
  const { rows } = await client.query<{ ahead: string | null }>(
    `SELECT (max(xact) + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text AS ahead
       FROM (${highest.join(" UNION ALL ")}) highest`,
  );
  const ahead = BigInt(rows[0]?.ahead ?? "0");
  if (ahead <= 0n) return;
  const as = (number: string): string => `'SELECT (${number}::text::bigint + ${ahead})::text::xid8'`;
  await client.query(
    `CREATE OR REPLACE FUNCTION books_xact() RETURNS xid8 LANGUAGE sql STABLE AS ${as("pg_current_xact_id()")};
     CREATE OR REPLACE FUNCTION books_horizon() RETURNS xid8 LANGUAGE sql STABLE AS ${as("pg_snapshot_xmin(pg_current_snapshot())")}`,
  );
}
