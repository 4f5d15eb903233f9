import pg from "pg";

/** What a statement can be run on. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

export type Pool = pg.Pool;

export interface PoolOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax?: number;
  /** Told of connections that broke. Without a listener such an error would end the process. */
  readonly log?: { readonly warn: (fields: object, message: string) => void };
}

const CONNECTIONS_MAX_DEFAULT = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** No statement on the path of a job takes longer; one that does is stuck. */
const STATEMENT_TIMEOUT_MS = 30_000;

const INT8 = 20;

/** BIGINT is read as bigint: money does not fit a double. */
function typeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (oid === INT8 && format !== "binary") return BigInt;
  return format === "binary" ? pg.types.getTypeParser(oid, "binary") : pg.types.getTypeParser(oid, "text");
}

/** A pool of connections that survives a restart of the database. Close it with `end()`. */
export function openPool(url: string, options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.connectionsMax ?? CONNECTIONS_MAX_DEFAULT,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types: { getTypeParser: typeParser },
  });
  const onBroken = (error: Error): void => options.log?.warn({ error: error.message }, "database connection broke");
  pool.on("error", onBroken);
  // A client in use emits its own errors, besides rejecting its query.
  pool.on("connect", (client) => client.on("error", onBroken));
  return pool;
}

/** Runs statements in one transaction on one connection. */
export async function transaction<T>(pool: Pool, run: (client: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await run(client);
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    await client.query("ROLLBACK").then(
      () => client.release(),
      (broken: Error) => client.release(broken),
    );
    throw error;
  }
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** SQLSTATE classes that say something about the server or the connection, not about the statement's data. */
const OPERATIONAL_CLASSES = new Set(["08", "53", "57", "58"]);

/** The SQLSTATE of a database error, or null for anything else. */
export function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return SQLSTATE.test(error.code) && "severity" in error ? error.code : null;
}

/** Whether the database refused what the statement said, rather than being away, full or shutting down. */
export function isRefusal(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && !OPERATIONAL_CLASSES.has(state.slice(0, 2));
}

/** The constraint that a statement violated, or null. */
export function violatedConstraint(error: unknown): string | null {
  if (!(error instanceof Error) || !("constraint" in error) || typeof error.constraint !== "string") return null;
  return sqlStateOf(error)?.startsWith("23") === true ? error.constraint : null;
}
