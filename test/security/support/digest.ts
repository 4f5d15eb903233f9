/** Whether anything at all has changed in the database, whoever changed it. */
import type { Pool } from "@contingent/db/pool";

const TABLES = `
  SELECT c.oid::regclass::text AS name FROM pg_class c
   WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`;

export interface Change {
  readonly table: string;
}

/** Remembers what is stored, and tells which tables are not as they were. */
export class StoredThings {
  readonly #pool: Pool;
  readonly #statement: string;
  #known: ReadonlyMap<string, string> = new Map();
  #transaction = "";

  private constructor(pool: Pool, tables: readonly string[]) {
    this.#pool = pool;
    this.#statement = tables.map(digestOf).join(" UNION ALL ");
  }

  static async in(pool: Pool): Promise<StoredThings> {
    const { rows } = await pool.query<{ name: string }>(TABLES);
    const things = new StoredThings(
      pool,
      rows.map(({ name }) => name),
    );
    await things.changes();
    return things;
  }

  /** The tables that have changed since this was asked last. */
  async changes(): Promise<readonly string[]> {
    if (await this.#isQuiet()) return [];
    const { rows } = await this.#pool.query<{ name: string; digest: string }>(this.#statement);
    const before = this.#known;
    this.#known = new Map(rows.map(({ name, digest }) => [name, digest]));
    return rows.filter(({ name, digest }) => before.get(name) !== digest).map(({ name }) => name);
  }

  /** Who writes has a transaction number: while none was given out on the whole server, nothing can have changed. */
  async #isQuiet(): Promise<boolean> {
    const { rows } = await this.#pool.query<{ next: string }>(
      "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next",
    );
    const next = rows[0]?.next ?? "";
    const isQuiet = next === this.#transaction;
    this.#transaction = next;
    return isQuiet;
  }
}

/** When keys are used is noted behind the requests, also behind those that are refused. */
function digestOf(table: string): string {
  return `SELECT '${table}' AS name, count(*) || ':' ||
            coalesce(sum(hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)::numeric), 0) AS digest FROM ${table} t`;
}
