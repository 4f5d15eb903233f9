import pg from "pg";

/** What a statement can be run on. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(statement: pg.QueryConfig): Promise<pg.QueryResult<Row>>;
}

/** Where statements are run: all of a database (`OpenPool`), or the part of it that belongs to some customers (tenants.ts). */
export interface Pool extends Client {
  readonly connect: () => Promise<Connection>;
  /** What begins a transaction, where that is more than BEGIN. */
  readonly begin?: string;
}

/** Anything that takes statements, also with their values beside them. */
export interface Client {
  query<Row extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

/** A connection that is in use until it is released. */
export interface Connection extends Client {
  /** @param destroy close it, because nobody knows what state it is in */
  release(destroy?: boolean): void;
}

/** A pool that somebody opened, and has to close. */
export type OpenPool = pg.Pool;

export interface PoolOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly connectionsMax?: number;
  /** The role whose rights statements have, whoever logged in: `SERVICE_ROLE` for everything on the path of a job. */
  readonly role?: string;
  /**
   * For migrations and copies of whole tables, which take as long as they take: nothing is timed, on neither side. (The driver
   * does not notice the end of a copy. It would break off a long one, and keep a process for as long after a short one.)
   */
  readonly isPatient?: boolean;
  /** Told of connections that broke. Without a listener such an error would end the process. */
  readonly log?: { readonly warn: (fields: object, message: string) => void };
}

/** What services act as: it may write everything but the books, which only the function `book` does (0011_roles.sql). */
export const SERVICE_ROLE = "contingent_service";

const CONNECTIONS_MAX_DEFAULT = 8;
/** Ways to execute a statement that pay off only when it reads whole tables. */
const WHOLE_TABLE_METHODS = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"];
/**
 * Plans are kept with their connection and outlive the table sizes they were made for. One that was made while a table
 * held a few rows went on reading all of it for every statement, however large it had grown: throughput fell from 1,200 to
 * 50 jobs/s until the next ANALYZE. On the path of a job there is an index for everything that is looked up, so nothing
 * else is considered there (nor bitmaps, which visit again and again what an index scan has once found to be dead); what
 * reads everything goes through `readAll`.
 */
const PLANNER_OPTIONS = WHOLE_TABLE_METHODS.map((method) => `-c ${method}=off`).join(" ");
/** For sorting and hashing whole tables. With the server's default of 4 MB most of the time went into temporary files. */
const WHOLE_TABLE_MEMORY = "SET LOCAL work_mem = '64MB'; SET LOCAL hash_mem_multiplier = 8;";
const CONNECT_TIMEOUT_MS = 5_000;
/** No statement on the path of a job takes longer; one that does is stuck. */
const STATEMENT_TIMEOUT_MS = 30_000;
/**
 * The server ends a statement by itself. Whoever has heard nothing for this much longer has lost the connection without
 * being told, as by a network that swallows everything: that would look alive for a quarter of an hour.
 */
const ANSWER_GRACE_MS = 5_000;
const TIMEOUTS = { statement_timeout: STATEMENT_TIMEOUT_MS, query_timeout: STATEMENT_TIMEOUT_MS + ANSWER_GRACE_MS };
/** What the driver says of an answer that did not come. It has no code for it. */
const UNANSWERED = "Query read timeout";

/** BIGINT is read as bigint: money does not fit a double. */
const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, BigInt);

/** A pool of connections that survives a restart of the database. Close it with `end()`. The URL's parameters win over what stands here. */
export function openPool(url: string, options: PoolOptions): OpenPool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.connectionsMax ?? CONNECTIONS_MAX_DEFAULT,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(options.isPatient === true ? {} : TIMEOUTS),
    keepAlive: true,
    options: options.role === undefined ? PLANNER_OPTIONS : `${PLANNER_OPTIONS} -c role=${options.role}`,
    types: TYPES,
  });
  const onBroken = (error: Error): void => options.log?.warn({ error: error.message }, "database connection broke");
  pool.on("error", onBroken);
  // A client in use emits its own errors, besides rejecting its query.
  pool.on("connect", (client) => client.on("error", onBroken));
  return pool;
}

/** Runs statements in one transaction on one connection. */
export async function transaction<T>(pool: Pool, run: (client: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(pool.begin ?? "BEGIN");
    const result = await run(client);
    await client.query("COMMIT");
    client.release();
    return result;
  } catch (error) {
    if (isUnanswered(error)) {
      // It would not hear of a rollback either.
      client.release(true);
    } else {
      await client.query("ROLLBACK").then(
        () => client.release(),
        () => client.release(true),
      );
    }
    throw error;
  }
}

/** Resolves when the database answers. */
export async function ping(db: Queryable): Promise<void> {
  await db.query({ text: "SELECT" });
}

function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.message === UNANSWERED;
}

export interface ReadOptions {
  readonly statementTimeoutMs: number;
  /** See what another transaction sees that is still running (`exportSnapshot`). */
  readonly snapshot?: string | undefined;
}

/** Runs statements that read by indexes, in one read-only transaction on one snapshot: what they see belongs together. */
export async function readSnapshot<T>(
  pool: Pool,
  options: ReadOptions,
  run: (client: Queryable) => Promise<T>,
): Promise<T> {
  return await transaction(pool, async (client) => {
    await client.query({ text: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY" });
    if (options.snapshot !== undefined) {
      await client.query({ text: `SET TRANSACTION SNAPSHOT '${options.snapshot}'` });
    }
    await client.query({ text: `SET LOCAL statement_timeout = ${options.statementTimeoutMs}` });
    return await run(patient(client, options.statementTimeoutMs));
  });
}

/**
 * Runs statements that read whole tables: in one read-only transaction on one snapshot, planned without restrictions. For
 * people and checks, not for the path of a job.
 */
export async function readAll<T>(pool: Pool, options: ReadOptions, run: (client: Queryable) => Promise<T>): Promise<T> {
  return await readSnapshot(pool, options, async (client) => {
    return await run(await readWholeTables(client, options.statementTimeoutMs));
  });
}

/** Lets other transactions see what this one sees, for as long as it runs. */
export async function exportSnapshot(client: Queryable): Promise<string> {
  const { rows } = await client.query<{ id: string }>({ text: "SELECT pg_export_snapshot() AS id" });
  if (rows[0] === undefined) throw new Error("the database exported no snapshot");
  return rows[0].id;
}

/**
 * Lets the rest of a transaction be planned without restrictions, and take longer: for what compares much and then writes.
 * @returns the connection to go on with, on which an answer is waited for as long
 */
export async function readWholeTables(client: Queryable, statementTimeoutMs: number): Promise<Queryable> {
  const settings = WHOLE_TABLE_METHODS.map((method) => `SET LOCAL ${method} = on;`).join(" ");
  await client.query({
    text: `${settings} ${WHOLE_TABLE_MEMORY} SET LOCAL statement_timeout = ${statementTimeoutMs}`,
  });
  return patient(client, statementTimeoutMs);
}

/** The same connection; an answer is waited for as long as the server may work on it. 0: nothing is timed, on a patient one. */
function patient(client: Queryable, statementTimeoutMs: number): Queryable {
  if (statementTimeoutMs === 0) return client;
  return {
    query(statement) {
      const timed: pg.QueryConfig & { query_timeout: number } = {
        ...statement,
        query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
      };
      return client.query(timed);
    },
  };
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/**
 * SQLSTATE classes that say something about the server, the connection or other transactions, not about the statement:
 * connection, read-only, given up in favour of another transaction, resources, shutdown and time-out, system.
 */
const OPERATIONAL_CLASSES = new Set(["08", "25", "40", "53", "57", "58"]);
const GIVEN_UP_CLASS = "40";

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

/** Whether the database gave the statement up in favour of another transaction (a deadlock): nothing of it happened. */
export function isGivenUp(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith(GIVEN_UP_CLASS) === true;
}

/** The constraint that a statement violated, or null. */
export function violatedConstraint(error: unknown): string | null {
  if (!(error instanceof Error) || !("constraint" in error) || typeof error.constraint !== "string") return null;
  return sqlStateOf(error)?.startsWith("23") === true ? error.constraint : null;
}
