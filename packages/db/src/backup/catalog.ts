/** What a database of ours consists of, as its own catalog says: nothing of it is listed by hand, so that nothing is forgotten. */
import type { Queryable } from "../pool.ts";
import type { Sequences } from "./frames.ts";

export interface Table {
  readonly name: string;
  /** Those that are written; generated ones follow from them. */
  readonly columns: readonly string[];
  /** Row-level security holds for the owner, too. */
  readonly isForced: boolean;
}

export interface ForeignKey {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

/** Which migrations there are is told apart from what they made. */
const MIGRATIONS_TABLE = "schema_migration";

/** A name as it stands in a statement. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export async function tablesOf(db: Queryable): Promise<readonly Table[]> {
  const { rows } = await db.query<{ name: string; columns: string[]; forced: boolean }>({
    text: `
      SELECT c.relname AS name, c.relforcerowsecurity AS forced,
             array_agg(a.attname::text ORDER BY a.attnum) AS columns
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> $1
       GROUP BY c.oid ORDER BY c.relname`,
    values: [MIGRATIONS_TABLE],
  });
  return rows.map(({ name, columns, forced }) => ({ name, columns, isForced: forced }));
}

export async function migrationsOf(db: Queryable): Promise<readonly { name: string; checksum: string }[]> {
  const { rows } = await db.query<{ name: string; checksum: string }>({
    text: "SELECT name, checksum FROM schema_migration ORDER BY name",
  });
  return rows;
}

/** Where numbers go on. */
export async function sequencesOf(db: Queryable): Promise<Sequences> {
  const { rows } = await db.query<{ name: string }>({
    text: "SELECT relname AS name FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace ORDER BY 1",
  });
  const found: Sequences = [];
  for (const { name } of rows) {
    const text = `SELECT last_value::text AS last, is_called FROM ${quoted(name)}`;
    const sequence = await db.query<{ last: string; is_called: boolean }>({ text });
    found.push(...sequence.rows.map((row) => ({ name, ...row })));
  }
  return found;
}

export async function foreignKeysOf(db: Queryable): Promise<readonly ForeignKey[]> {
  const { rows } = await db.query<ForeignKey & Record<string, unknown>>({
    text: `
      SELECT c.relname AS table, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
       WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace AND k.conparentid = 0
       ORDER BY 1, 2`,
  });
  return rows;
}

/** Whether the schema holds nothing yet. */
export async function isEmpty(db: Queryable): Promise<boolean> {
  const { rowCount } = await db.query({
    text: "SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relnamespace = current_schema()::regnamespace LIMIT 1",
  });
  return rowCount === 0;
}

/** The columns that hold numbers of database transactions. */
export async function xactColumnsOf(db: Queryable): Promise<readonly { table: string; column: string }[]> {
  const { rows } = await db.query<{ table: string; column: string }>({
    text: `
      SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.atttypid = 'xid8'::regtype
         AND a.attnum > 0 AND NOT a.attisdropped`,
  });
  return rows;
}
