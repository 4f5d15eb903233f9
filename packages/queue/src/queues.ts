/**
 * The queues of one process: publish, consume, look. `QUEUE_URL` picks the transport and nothing else knows which it is.
 */
import {
  CANARY_MESSAGE,
  CANARY_QUEUE,
  contractOf,
  messageId,
  type OutgoingMessage,
  type QueueName,
} from "@contingent/contracts/messages/catalog";
import type { Place } from "@contingent/core/job/admission";
import { Canary } from "./canary.ts";
import { type Consumer, type Handler, RestartingConsumer } from "./consumer.ts";
import { mayBeMisplaced, priorityOf, turnOfPriority } from "./priority.ts";
import { optionsOf, Publisher } from "./publisher.ts";
import { connectPostgres } from "./transport-postgres.ts";
import { connectRedis } from "./transport-redis.ts";
import {
  type BrokerQueue,
  describe,
  errorLogger,
  type QueueLog,
  type Transport,
  TransportRefusedError,
  TransportUnavailableError,
  within,
} from "./transport.ts";

export interface Depth {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
}

export interface PublishOptions {
  readonly delayMs?: number;
  /** Of the messages that are due the one whose turn is the earliest goes first; one without a turn goes before them all. */
  readonly turnAtMs?: number | null;
  /** Beside the same message, which a consumer has taken up and may have lost: once, however often it is asked for. */
  readonly again?: boolean;
}

/** A message, by its id, and when its turn is. */
export interface Turn {
  readonly id: string;
  readonly turnAtMs: number;
}

export interface Queues {
  /**
   * Resolves when the transport has the message. Publishing one that still waits, is delayed or is being processed is
   * a no-op. Fails within seconds when the transport is away.
   * @throws TransportUnavailableError
   */
  publish(queue: QueueName, message: OutgoingMessage, options?: PublishOptions): Promise<void>;
  /** Starts taking messages, at most `concurrency` at a time in this process. */
  consume(queue: QueueName, handler: Handler, options?: { readonly concurrency?: number }): Consumer;
  depth(queue: QueueName): Promise<Depth>;
  /** Whether a message of this id (see `messageId`) waits, is delayed or is being processed. */
  exists(queue: QueueName, id: string): Promise<boolean>;
  /** The ids of messages that consumers have taken up and not finished: they hold them, or have died or been cut off since. */
  active(queue: QueueName): Promise<ReadonlySet<string>>;
  /** Those of the ids that exist. */
  existing(queue: QueueName, ids: readonly string[]): Promise<Set<string>>;
  /** Delivers messages of these ids that are delayed now. One that is not delayed is left as it is. */
  hasten(queue: QueueName, ids: readonly string[]): Promise<void>;
  /** Some of the messages that wait, in the order in which they go, the first one with a turn and nearly the last one among them. */
  places(queue: QueueName): Promise<readonly Place[]>;
  /** Puts messages that wait where their turn is, if they stand elsewhere: see priority.ts. */
  reorder(queue: QueueName, waiting: readonly Turn[]): Promise<void>;
  /** No consumer in any process takes a message of the queue for this long. Never shortens a pause that is under way. */
  pauseFor(queue: QueueName, durationMs: number): Promise<void>;
  /**
   * Whether the transport has kept everything since the last call. False at the first one, after one that failed, and when
   * the connection was lost meanwhile: then every message may be missing.
   * @throws TransportUnavailableError, TransportRefusedError
   */
  remembers(): Promise<boolean>;
  /** @throws TransportUnavailableError when the transport takes no messages, TransportRefusedError when it may lose some. */
  health(): Promise<void>;
  /** Closes the consumers (letting their handlers end) and then the connections. Does not wait for a transport that is away. */
  close(): Promise<void>;
}

export interface QueuesOptions {
  readonly log: QueueLog;
}

const HEALTH_TIMEOUT_MS = 2_000;
/** A transport that is away does not keep the process from ending. */
const CLOSE_TIMEOUT_MS = 3_000;
const LOOKUP_CHUNK = 200;
/** Each place that is looked at in a queue is so many times further back than the one before. */
const RANK_STEP = 3;
/** So many of the last ones may be gone, because others were taken, until they are looked at. */
const GONE_SHARE_MAX = 0.02;
/** "No limit" that both backends can count up to (a 32-bit integer in Postgres). */
const RATE_UNLIMITED = 2_147_483_647;
const RATE_WINDOW_MS = 1;

/**
 * Connects to the transport named by the URL: `postgres:`, `postgresql:`, `redis:` or `rediss:`.
 * @throws TransportUnavailableError when it cannot be reached, TransportRefusedError when it must not be used as it is.
 */
export async function openQueues(url: string, options: QueuesOptions): Promise<Queues> {
  const { log } = options;
  const transport = await connect(url, log);
  const brokers = new Map<QueueName | typeof CANARY_QUEUE, BrokerQueue>();
  const publishers = new Map<QueueName, Publisher>();
  const consumers = new Set<Consumer>();
  const resumeTimers = new Map<QueueName, NodeJS.Timeout>();

  const broker = (queue: QueueName | typeof CANARY_QUEUE): BrokerQueue => {
    const known = brokers.get(queue);
    if (known !== undefined) return known;
    const opened = transport.openQueue(queue);
    opened.on("error", errorLogger(log, { queue, connection: "producer" }));
    // A queue that could not be opened stays broken: it is forgotten, and the next call opens another.
    opened.waitUntilReady().catch((error: unknown) => {
      log.warn({ queue, error: describe(error) }, "queue cannot be opened yet");
      if (brokers.get(queue) === opened) brokers.delete(queue);
    });
    brokers.set(queue, opened);
    return opened;
  };

  const canary = new Canary(transport, () => broker(CANARY_QUEUE));
  const answerOf = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await within(asked, HEALTH_TIMEOUT_MS, "The queue transport");
    } catch (error) {
      if (error instanceof TransportRefusedError) throw error;
      const text = `The queue transport does not answer, or takes no messages (${describe(error)}).`;
      throw new TransportUnavailableError(text, { cause: error });
    }
  };

  const publisher = (queue: QueueName): Publisher => {
    const known = publishers.get(queue);
    if (known !== undefined) return known;
    const made = new Publisher(queue, () => broker(queue), transport);
    publishers.set(queue, made);
    return made;
  };

  const existing = async (queue: QueueName, ids: readonly string[]): Promise<Set<string>> => {
    const found = new Set<string>();
    for (let from = 0; from < ids.length; from += LOOKUP_CHUNK) {
      const chunk = ids.slice(from, from + LOOKUP_CHUNK);
      const messages = await Promise.all(chunk.map((id) => broker(queue).getJob(id)));
      for (const [index, id] of chunk.entries()) if (messages[index] !== undefined) found.add(id);
    }
    return found;
  };

  /** A counting limit costs every delivery a little (in Postgres a lock), so it goes when the pause is over. */
  const liftLimitLater = (queue: QueueName, afterMs: number): void => {
    clearTimeout(resumeTimers.get(queue));
    const lift = async (): Promise<void> => {
      const leftMs = await broker(queue).getRateLimitTtl();
      if (leftMs > 0) liftLimitLater(queue, leftMs);
      else await broker(queue).removeGlobalRateLimit();
    };
    const timer = setTimeout(() => void lift().catch(errorLogger(log, { queue, connection: "producer" })), afterMs);
    resumeTimers.set(queue, timer.unref());
  };

  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (const timer of resumeTimers.values()) clearTimeout(timer);
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    const closed = Promise.all([...brokers.values()].map((queue) => queue.close())).then(() => transport.close());
    await within(closed, CLOSE_TIMEOUT_MS, "Closing the queue transport").catch((error: unknown) => {
      log.warn({ error: describe(error) }, "queue transport left open");
    });
  };

  return {
    async publish(queue, message, { delayMs = 0, turnAtMs = null, again = false } = {}) {
      const priority = turnAtMs === null ? 0 : priorityOf(turnAtMs, Date.now());
      const placing = { delayMs, priority, again };
      await publisher(queue).publish({ ...message, traceparent: message.traceparent ?? null }, placing);
    },

    consume(queue, handler, { concurrency = contractOf(queue).concurrency } = {}) {
      const countWaiting = async (): Promise<number | null> => {
        const paused = (await broker(queue).getRateLimitTtl()) > 0;
        return paused ? null : waitingIn(await broker(queue).getJobCounts("waiting", "prioritized"));
      };
      const canaryOptions = optionsOf(messageId(CANARY_MESSAGE), { delayMs: 0, priority: 0 });
      const sendCanary = (): Promise<unknown> => broker(queue).add("job", CANARY_MESSAGE, canaryOptions);
      const parts = { transport, queue, handler, concurrency, countWaiting, sendCanary, log };
      const started = new RestartingConsumer(parts);
      const consumer: Consumer = {
        ready: () => started.ready(),
        checkProgress: () => started.checkProgress(),
        async close() {
          consumers.delete(consumer);
          await started.close();
        },
      };
      consumers.add(consumer);
      return consumer;
    },

    async depth(queue) {
      const counts = await broker(queue).getJobCounts("waiting", "prioritized", "delayed", "active");
      return { waiting: waitingIn(counts), delayed: counts["delayed"] ?? 0, active: counts["active"] ?? 0 };
    },

    async exists(queue, id) {
      return (await existing(queue, [id])).has(id);
    },

    async active(queue) {
      return new Set((await broker(queue).getActive()).flatMap(({ id }) => id ?? []));
    },

    existing,

    async hasten(queue, ids) {
      const hastened = ids.map(async (id) => {
        if ((await broker(queue).getJobState(id)) !== "delayed") return;
        const delayed = await broker(queue).getJob(id);
        // Its time may come in this very moment: then it is not delayed any more, and there is nothing to do.
        await delayed
          ?.promote()
          .catch((error: unknown) => log.warn({ queue, id, error: describe(error) }, "not hastened"));
      });
      await Promise.all(hastened);
    },

    async places(queue) {
      const { waiting: first = 0, prioritized = 0 } = await broker(queue).getJobCounts("waiting", "prioritized");
      const ranks = ranksOf(prioritized);
      const found = await Promise.all(ranks.map((rank) => broker(queue).getPrioritized(rank, rank)));
      const places: Place[] = [];
      for (const [n, [message]] of found.entries()) {
        // It may be gone by now: then there is a place less.
        if (message === undefined) continue;
        const turnAtMs = turnOfPriority(message.priority, Date.now());
        // The queue moves meanwhile, but never backwards.
        places.push({ ahead: first + (ranks[n] ?? 0), turnAtMs: Math.max(turnAtMs, places.at(-1)?.turnAtMs ?? 0) });
      }
      return places;
    },

    async reorder(queue, waiting) {
      for (const { id, turnAtMs } of waiting) {
        if (!mayBeMisplaced(turnAtMs, Date.now())) continue;
        const message = await broker(queue).getJob(id);
        const priority = priorityOf(turnAtMs, Date.now());
        if (message === undefined || message.priority === priority) continue;
        // It may be taken in this very moment: then there is nothing to put right.
        await message
          .changePriority({ priority })
          .catch((error: unknown) => log.warn({ queue, id, error: describe(error) }, "not reordered"));
      }
    },

    async pauseFor(queue, durationMs) {
      const target = broker(queue);
      // BullMQ heeds a manual limit only on queues that have a limiter, so the queue gets one that never limits by itself.
      await target.setGlobalRateLimit(RATE_UNLIMITED, RATE_WINDOW_MS);
      if ((await target.getRateLimitTtl()) < durationMs) await target.rateLimit(Math.ceil(durationMs));
      liftLimitLater(queue, durationMs);
    },

    remembers: () => answerOf(canary.isThere()),

    health: () => answerOf(canary.takesMessages()),

    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** The ranks of the places that are looked at: the first ones closely, for that is where most customers' jobs come in. */
function ranksOf(count: number): readonly number[] {
  const ranks: number[] = [];
  const last = count - 1 - Math.floor(count * GONE_SHARE_MAX);
  for (let rank = 0; rank < last; rank = (rank + 1) * RANK_STEP - 1) ranks.push(rank);
  return count === 0 ? [] : [...ranks, last];
}

function waitingIn(counts: Readonly<Record<string, number>>): number {
  return (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0);
}

async function connect(url: string, log: QueueLog): Promise<Transport> {
  const scheme = URL.canParse(url) ? new URL(url).protocol : "";
  switch (scheme) {
    case "postgres:":
    case "postgresql:":
      return connectPostgres(url, log);
    case "redis:":
    case "rediss:":
      return connectRedis(url, log);
    default:
      throw new TransportRefusedError(
        `QUEUE_URL must start with postgres://, redis:// or rediss://, not "${scheme.replace(/:$/, "")}".`,
      );
  }
}
