/**
 * BullMQ on Postgres: the default when nothing but the database is installed. Its tables live in their own schema.
 *
 * One small pool for all producers of the process, and one per consumer. BullMQ would make a consumer's pool and the
 * connection that listens by itself, but puts no listener for errors on them until they are connected, and none at all
 * while they are in use: one that the server cuts off at the wrong moment would end the process (seen in one of sixty
 * restarts of the database under load).
 */
import {
  assertSchemaCompatibility,
  createPostgresBackend,
  isPgPool,
  LATEST_SCHEMA_VERSION,
  Queue,
  runMigrations,
  SchemaMigrationRequiredError,
  Worker,
} from "bullmq";
import { Pool } from "pg";
import {
  type BrokerWorker,
  describe,
  errorLogger,
  type QueueLog,
  STREAMS,
  type Transport,
  TransportUnavailableError,
  WORKER_OPTIONS,
} from "./transport.ts";

const SCHEMA = "bullmq";
const PRODUCER_CONNECTIONS_MAX = 3;
/** One of them listens. */
const CONSUMER_CONNECTIONS_MAX = 5;
const CONNECT_TIMEOUT_MS = 2_000;
const PRODUCER_QUERY_TIMEOUT_MS = 2_000;
const CONSUMER_QUERY_TIMEOUT_MS = 15_000;
/** A second batch may start while one commits; more would only queue for the same connections. */
const BATCHES_IN_FLIGHT_MAX = 2;
/** BullMQ's bulk insert makes two temporary tables, which takes 3 ms; a single insert takes 0.2 to 0.4 ms. */
const BULK_FROM = 20;

/**
 * Messages are hints, so a commit need not wait for the disk: what a crash of Postgres takes, the sweeper publishes
 * again. `search_path` is how BullMQ finds its schema on a pool that it did not make itself.
 */
const SESSION = "-c synchronous_commit=off";

/**
 * By BullMQ's own clocks, which are those of the processes, a lock ends and the next look for lost ones is due. What a
 * process wrote that is an hour ahead kept all others from taking up for an hour what any dead consumer had held.
 */
const LOOKS_PUT_RIGHT = `
  UPDATE meta SET value = (${nowMs()})::text
   WHERE field = 'stalled-check' AND value::bigint > ${nowMs()} + $1`;
const LOCKS_PUT_RIGHT = `
  UPDATE job SET locked_until_ms = ${nowMs()} + $1 WHERE state = 'active' AND locked_until_ms > ${nowMs()} + 2 * $1::bigint`;

/**
 * Connects, and brings BullMQ's schema up to date.
 * @throws TransportUnavailableError
 */
export async function connectPostgres(url: string, log: QueueLog): Promise<Transport> {
  const logProducerError = errorLogger(log, { connection: "producer" });
  let interruptions = 0;
  const onProducerError = (error: Error): void => {
    interruptions += 1;
    logProducerError(error);
  };
  const producers = openPool(url, PRODUCER_CONNECTIONS_MAX, PRODUCER_QUERY_TIMEOUT_MS, onProducerError);
  try {
    await migrate(producers);
  } catch (error) {
    await producers.end();
    throw new TransportUnavailableError(
      `Postgres at ${placeOf(url)} cannot carry the queues (${describe(error)}): start it, or correct QUEUE_URL.`,
      { cause: error },
    );
  }

  return {
    batchesInFlightMax: BATCHES_IN_FLIGHT_MAX,
    bulkFrom: BULK_FROM,
    openQueue(queue) {
      if (!isPgPool(producers)) throw new TypeError("This version of pg does not fit BullMQ.");
      const opened = new Queue(queue, { connection: producers, streams: STREAMS }, createPostgresBackend);
      return opened;
    },
    openWorker(queue, process, concurrency) {
      // What goes wrong on it is also told to the worker, which logs it.
      const pool = openPool(url, CONSUMER_CONNECTIONS_MAX, CONSUMER_QUERY_TIMEOUT_MS, () => undefined);
      if (!isPgPool(pool)) throw new TypeError("This version of pg does not fit BullMQ.");
      const options = { ...WORKER_OPTIONS, concurrency, connection: pool };
      return closingWith(pool, new Worker(queue, process, options, createPostgresBackend));
    },
    interruptions: () => interruptions,
    async check() {
      // Not in one statement: it would hold the one table while it waits for the other.
      const values = [WORKER_OPTIONS.lockDuration];
      await producers.query({ name: "put-looks-right", text: LOOKS_PUT_RIGHT, values });
      await producers.query({ name: "put-locks-right", text: LOCKS_PUT_RIGHT, values });
    },
    async close() {
      await producers.end();
    },
  };
}

function openPool(url: string, max: number, queryTimeoutMs: number, onError: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString: url,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    max,
    query_timeout: queryTimeoutMs,
    options: `${SESSION} -c search_path=${SCHEMA}`,
    application_name: "contingent-queue",
  });
  pool.on("error", onError);
  // A client that is checked out reports its own errors; without a listener they would end the process.
  pool.on("connect", (client) => client.on("error", onError));
  return pool;
}

/** A worker that takes its pool with it. */
function closingWith(pool: Pool, worker: BrokerWorker): BrokerWorker {
  return {
    waitUntilReady: () => worker.waitUntilReady(),
    run: () => worker.run(),
    on: (event, listener) => worker.on(event, listener),
    async close(force) {
      try {
        await worker.close(force);
      } finally {
        await pool.end();
      }
    },
  };
}

/** Changes nothing when the schema is current, so that a role without DDL rights can run the services. */
async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const version = await assertSchemaCompatibility(client, SCHEMA).catch((error: unknown) => {
      if (error instanceof SchemaMigrationRequiredError) return 0;
      throw error;
    });
    // BullMQ takes an advisory lock for it: several processes may start at the same time.
    if (version < LATEST_SCHEMA_VERSION) await runMigrations(client, SCHEMA);
  } finally {
    client.release();
  }
}

/** The database's clock, ms since the epoch. */
function nowMs(): string {
  return "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
}

/** Host, port and database only: the URL may hold a password. */
function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname}:${port || "5432"}${pathname}`;
}
