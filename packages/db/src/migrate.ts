import { readdir, readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { openPool, transaction, type Queryable } from "./pool.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
/** Whoever migrates holds this lock; a second one waits and then finds nothing to do. */
const ADVISORY_LOCK = 5_391_001;

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** A migration that was already applied has been edited: the database and the code no longer agree on the past. */
export class EditedMigrationError extends Error {
  override readonly name = "EditedMigrationError";
}

/**
 * Brings a database to the present schema. Each migration runs in its own transaction, in the order of the file names.
 * @returns the names of those that were applied now
 * @throws EditedMigrationError when an applied file has changed since
 */
export async function migrate(url: string, folder: URL = FOLDER): Promise<readonly string[]> {
  const pool = openPool(url, { applicationName: "contingent-migrate", connectionsMax: 1, isPatient: true });
  try {
    const migrations = await readMigrations(folder);
    const applied: string[] = [];
    for (const migration of migrations) {
      if (await transaction(pool, (client) => apply(client, migration))) applied.push(migration.name);
    }
    return applied;
  } finally {
    await pool.end();
  }
}

/**
 * The same within the caller's transaction: for a database that is made whole or not at all.
 * @param only these migrations, for the schema of an earlier version
 */
export async function migrateWithin(client: Queryable, only?: ReadonlySet<string>): Promise<readonly string[]> {
  const applied: string[] = [];
  // What is left to be checked at the end of the transaction would be in the way of changes to its table.
  await client.query({ text: "SET CONSTRAINTS ALL IMMEDIATE" });
  for (const migration of await readMigrations()) {
    if (only?.has(migration.name) !== false && (await apply(client, migration))) applied.push(migration.name);
  }
  return applied;
}

/** The name of the newest migration: what a database must have for this code to run on it. */
export async function newestMigration(): Promise<string> {
  return (await readMigrations()).at(-1)?.name ?? "";
}

/** Whether a database has every migration of this code. */
export async function isMigrated(db: Queryable): Promise<boolean> {
  const exists = await db.query<{ present: boolean }>({
    text: "SELECT to_regclass('schema_migration') IS NOT NULL AS present",
  });
  if (exists.rows[0]?.present !== true) return false;
  const found = await db.query({
    text: "SELECT 1 FROM schema_migration WHERE name = $1",
    values: [await newestMigration()],
  });
  return found.rowCount === 1;
}

/**
 * Resolves when the database answers and has the schema of this code: what every service needs to be ready.
 * @throws Error otherwise
 */
export async function checkDatabase(db: Queryable): Promise<void> {
  if (!(await isMigrated(db))) throw new Error("the database lacks migrations of this version: run migrate-main.ts");
}

/** The migrations of this version, in their order. */
export async function readMigrations(folder: URL = FOLDER): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** From here on nobody else makes or changes a schema, until the caller's transaction ends. */
export async function lockSchema(client: Queryable): Promise<void> {
  // A migration takes as long as it takes, and so does waiting for somebody else's.
  await client.query({ text: "SET LOCAL statement_timeout = 0" });
  await client.query({ text: "SELECT pg_advisory_xact_lock($1)", values: [ADVISORY_LOCK] });
}

async function apply(client: Queryable, migration: Migration): Promise<boolean> {
  await lockSchema(client);
  await client.query({
    text: `CREATE TABLE IF NOT EXISTS schema_migration (
             name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
  });
  const known = await client.query<{ checksum: string }>({
    text: "SELECT checksum FROM schema_migration WHERE name = $1",
    values: [migration.name],
  });
  const [row] = known.rows;
  if (row !== undefined) {
    if (row.checksum === migration.checksum) return false;
    throw new EditedMigrationError(
      `migration ${migration.name} was changed after it had been applied; restore the file and add a new migration instead`,
    );
  }
  await client.query({ text: migration.sql });
  await client.query({
    text: "INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)",
    values: [migration.name, migration.checksum],
  });
  return true;
}
