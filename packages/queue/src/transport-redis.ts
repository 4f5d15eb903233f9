/** BullMQ on Redis. One connection for all producers; two per consumer (one blocks). */
import { type CANARY_QUEUE, type QueueName } from "@contingent/contracts/messages/catalog";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import {
  describe,
  errorLogger,
  type QueueLog,
  STREAMS,
  type Transport,
  TransportRefusedError,
  TransportUnavailableError,
  within,
  WORKER_OPTIONS,
} from "./transport.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 2_000;
/** Waiting for messages is an answer every five seconds: who has heard nothing for longer has lost the connection. */
const CONSUMER_SILENCE_MAX_MS = 8_000;
const RECONNECT_DELAY_MAX_MS = 1_000;
const BATCHES_IN_FLIGHT_MAX = 64;

/** The braces are a hash tag: on a cluster all keys of one queue live in one slot, as BullMQ's scripts require. */
function prefixOf(queue: QueueName | typeof CANARY_QUEUE): string {
  return `contingent:{${queue}}`;
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(attempt * 50, RECONNECT_DELAY_MAX_MS);
}

/**
 * Connects, and refuses a Redis that may evict keys.
 * @throws TransportUnavailableError, TransportRefusedError
 */
export async function connectRedis(url: string, log: QueueLog): Promise<Transport> {
  // Producers fail fast: a request must not wait for a Redis that is away, because the sweeper publishes later anyway.
  const producer = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: reconnectDelayMs,
  });
  producer.on("error", errorLogger(log, { connection: "producer" }));
  let interruptions = 0;
  producer.on("close", () => (interruptions += 1));
  try {
    await within(producer.connect(), CONNECT_TIMEOUT_MS, "Connecting to Redis").catch((error: unknown) => {
      throw new TransportUnavailableError(
        `Redis at ${placeOf(url)} cannot be reached (${describe(error)}): start it, or correct QUEUE_URL.`,
        { cause: error },
      );
    });
    await refuseEviction(producer, url);
  } catch (error) {
    producer.disconnect();
    throw error;
  }

  return {
    batchesInFlightMax: BATCHES_IN_FLIGHT_MAX,
    // Commands that are sent in the same tick share a round trip anyway; BullMQ's bulk call measured 1.3 times slower.
    bulkFrom: Number.POSITIVE_INFINITY,
    openQueue: (queue) =>
      // Without these two checks a queue can be opened while Redis is away, and works as soon as it is back.
      new Queue(queue, {
        connection: producer,
        prefix: prefixOf(queue),
        streams: STREAMS,
        skipVersionCheck: true,
        skipWaitingForReady: true,
      }),
    openWorker: (queue, process, concurrency) =>
      new Worker(queue, process, {
        ...WORKER_OPTIONS,
        concurrency,
        prefix: prefixOf(queue),
        // A consumer waits for Redis as long as it takes, but not on a connection that a network has swallowed.
        connection: {
          url,
          maxRetriesPerRequest: null,
          retryStrategy: reconnectDelayMs,
          connectTimeout: CONNECT_TIMEOUT_MS,
          socketTimeout: CONSUMER_SILENCE_MAX_MS,
        },
      }),
    interruptions: () => interruptions,
    check: () => refuseEviction(producer, url),
    async close() {
      await producer.quit().catch(() => {
        producer.disconnect();
      });
    },
  };
}

async function refuseEviction(redis: Redis, url: string): Promise<void> {
  // INFO, because managed services often forbid CONFIG GET.
  const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info("memory"))?.[1];
  if (policy === undefined || policy === "noeviction") return;
  const { hostname, port } = new URL(url);
  throw new TransportRefusedError(
    `Redis at ${placeOf(url)} has maxmemory-policy "${policy}" and may drop waiting messages when memory is short. ` +
      `Set it to noeviction: redis-cli -h ${hostname || "127.0.0.1"} -p ${port || "6379"} CONFIG SET maxmemory-policy noeviction`,
  );
}

/** Host and port only: the URL may hold a password. */
function placeOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname || "127.0.0.1"}:${port || "6379"}`;
}
