/**
 * A backup of a live system: everything its database holds at one instant, in one file. Messages are not in it, for the
 * state is their outbox, and keys that are kept outside of the database are not.
 *
 * One REPEATABLE READ transaction reads all tables, so that what is in the file belongs together; it blocks nobody. While it
 * runs nothing that it could see is vacuumed, and the books are not sealed.
 */
import { createHash, randomUUID } from "node:crypto";
import fs from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { isMigrated } from "../migrate.ts";
import { openPool, readWholeTables } from "../pool.ts";
import { migrationsOf, quoted, sequencesOf, type Table, tablesOf } from "./catalog.ts";
import { encodeFrame, FORMAT, type Frame } from "./frames.ts";

/** What was written. */
export interface BackupReport {
  readonly tables: number;
  readonly rows: number;
  /** The file's, compressed. */
  readonly bytes: number;
}

/** The database cannot be backed up as it is, or not there; the message says what to do. */
export class BackupRefusedError extends Error {
  override readonly name = "BackupRefusedError";
}

/** A backup may take as long as it takes. */
const NO_TIMEOUT_MS = 0;
/** Text compresses well at any level; higher ones take longer than reading does. */
const GZIP_LEVEL = 3;
/** It holds what customers have sent: nobody else's business. */
const FILE_MODE = 0o600;

/**
 * Writes the backup of a database to a new file, which is there when it is complete.
 * @throws BackupRefusedError
 */
export async function backUp(url: string, file: string): Promise<BackupReport> {
  const pool = openPool(url, { applicationName: "contingent-backup", connectionsMax: 1, isPatient: true });
  const client = await pool.connect();
  try {
    if (await isMigrated(client)) return await writeBackup(client, file);
    throw new BackupRefusedError(
      "The database has not the schema of this version: back it up with the one that runs on it.",
    );
  } finally {
    client.release(true);
    await pool.end();
  }
}

/** The same on a connection that is closed afterwards, whatever schema there is. */
export async function writeBackup(client: pg.PoolClient, file: string): Promise<BackupReport> {
  if (fs.existsSync(file)) throw thereAlready(file);
  // A name of its own: another backup to the same file writes beside this one, and who comes second is refused.
  const part = `${file}.${randomUUID()}.part`;
  const counts = { tables: 0, rows: 0 };
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await readWholeTables(client, NO_TIMEOUT_MS);
    const target = fs.createWriteStream(part, { flags: "wx", mode: FILE_MODE, flush: true });
    await pipeline(encoded(frames(client, counts)), createGzip({ level: GZIP_LEVEL }), target);
    await client.query("COMMIT");
    link(part, file);
    return { ...counts, bytes: fs.statSync(file).size };
  } finally {
    fs.rmSync(part, { force: true });
  }
}

/** Never over another one, not even one that has come meanwhile. */
function link(part: string, file: string): void {
  try {
    fs.linkSync(part, file);
  } catch (error) {
    throw fs.existsSync(file) ? thereAlready(file) : error;
  }
}

function thereAlready(file: string): BackupRefusedError {
  return new BackupRefusedError(`${file} is there already: a backup replaces none.`);
}

async function* encoded(source: AsyncIterable<Frame>): AsyncGenerator<Buffer> {
  for await (const frame of source) yield encodeFrame(frame);
}

async function* frames(client: pg.PoolClient, counts: { tables: number; rows: number }): AsyncGenerator<Frame> {
  const migrations = [...(await migrationsOf(client))];
  yield { kind: "header", value: { format: FORMAT, made_at: new Date().toISOString(), migrations } };
  for (const table of await tablesOf(client)) {
    yield { kind: "table", value: { table: table.name, columns: [...table.columns] } };
    const { rows, sha256 } = yield* rowsOf(client, table);
    yield { kind: "table_end", value: { rows, sha256 } };
    counts.tables += 1;
    counts.rows += rows;
  }
  // Read last: sequences do not belong to the snapshot, and one that is further on does no harm.
  yield { kind: "sequences", value: await sequencesOf(client) };
  yield { kind: "end", value: { tables: counts.tables } };
}

async function* rowsOf(
  client: pg.PoolClient,
  { name, columns }: Table,
): AsyncGenerator<Frame, { readonly rows: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  const copying = client.query(copyTo(`COPY ${quoted(name)} (${columns.map(quoted).join(", ")}) TO STDOUT`));
  for await (const bytes of copying as AsyncIterable<Buffer>) {
    hash.update(bytes);
    yield { kind: "rows", bytes };
  }
  return { rows: copying.rowCount, sha256: hash.digest("hex") };
}
