/**
 * What the two BullMQ backends must offer. Nothing outside this package knows which one is in use.
 *
 * BullMQ is used as a plain transport: its retries, schedulers, deduplication and flows play no part, because retries and
 * timers are rows of the database and a message is only a hint. Its priorities decide who waits longer, and nothing else.
 */
import { type CANARY_QUEUE, type JobMessage, type QueueName } from "@contingent/contracts/messages/catalog";

/** A message as BullMQ hands it out. */
export interface Delivery {
  readonly id?: string | undefined;
  /** Unchecked: it may come from another version of this program. */
  readonly data: unknown;
  /** The publisher's clock, ms since the epoch. */
  readonly timestamp: number;
  readonly opts: { readonly delay?: number | undefined };
  /** How often the message was taken up, this time included. */
  readonly attemptsStarted: number;
}

export interface PublishOptions {
  readonly jobId: string;
  readonly delay: number;
  readonly priority: number;
  readonly attempts: number;
  readonly removeOnComplete: boolean;
  readonly removeOnFail: boolean;
}

export interface Publication {
  readonly name: string;
  readonly data: JobMessage;
  readonly opts: PublishOptions;
}

/** The part of BullMQ's Job that is used, of one that waits. */
export interface BrokerMessage {
  readonly priority: number;
  promote(): Promise<void>;
  changePriority(opts: { readonly priority: number }): Promise<void>;
}

/** The part of BullMQ's Queue that is used. */
export interface BrokerQueue {
  add(name: string, data: object, opts: PublishOptions): Promise<unknown>;
  addBulk(publications: Publication[]): Promise<unknown>;
  getJobCounts(...states: ("waiting" | "prioritized" | "delayed" | "active")[]): Promise<Record<string, number>>;
  getJobState(id: string): Promise<string>;
  /** Found by its id alone; its state is looked up in lists, each as long as the queue. */
  getJob(id: string): Promise<BrokerMessage | undefined>;
  /** Those of the ranks from `start` to `end` among the messages with a priority, in the order in which they go. */
  getPrioritized(start: number, end: number): Promise<BrokerMessage[]>;
  /** Messages that consumers have taken up and not finished. */
  getActive(): Promise<{ readonly id?: string | undefined }[]>;
  rateLimit(expireMs: number): Promise<void>;
  getRateLimitTtl(): Promise<number>;
  setGlobalRateLimit(max: number, durationMs: number): Promise<unknown>;
  removeGlobalRateLimit(): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** The part of BullMQ's Worker that is used. */
export interface BrokerWorker {
  waitUntilReady(): Promise<unknown>;
  run(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

export interface Transport {
  /** Batches that may be under way per queue; what is published meanwhile gathers for the next one. */
  readonly batchesInFlightMax: number;
  /** From this many messages on, one bulk command is cheaper than as many single ones. */
  readonly bulkFrom: number;
  openQueue(queue: QueueName | typeof CANARY_QUEUE): BrokerQueue;
  openWorker(queue: QueueName, process: (delivery: Delivery) => Promise<void>, concurrency: number): BrokerWorker;
  /** How often a connection for publishing was lost so far. What was confirmed before may be gone since. */
  interruptions(): number;
  /**
   * Puts right what a process with a wrong clock has written.
   * @throws TransportRefusedError when it is set up in a way that loses messages, whatever it was at the start
   */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** What the package logs with; a pino logger fits. Ids and numbers only. */
export interface QueueLog {
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Options of every BullMQ worker here. */
export const WORKER_OPTIONS = {
  autorun: false,
  /** A message whose consumer was killed is delivered again 10 to 15 s later: BullMQ's own 30 s mean a minute. */
  lockDuration: 10_000,
  stalledInterval: 5_000,
  /** A message that outlives this many consumers is dropped; the sweeper publishes it anew while the job still wants it. */
  maxStalledCount: 1_000,
  /** Pause before a lost connection is tried again, ms. BullMQ's own 15 s would leave a restarted database idle. */
  runRetryDelay: 500,
  /** An idle consumer looks by itself this often, s: one whose connection was cut is told of nothing until then. */
  drainDelay: 2,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const;

/** BullMQ writes an event per transition into a stream that nothing here reads; it is kept short. */
export const STREAMS = { events: { maxLen: 100 } } as const;

/** The transport did not take a message, or did not answer. The job is safe: the sweeper publishes its message again. */
export class TransportUnavailableError extends Error {
  override readonly name = "TransportUnavailableError";
  /** Its text names addresses and settings only, and may be logged. */
  readonly loggable = true;
  /** EX_TEMPFAIL: a service that ends because of it is worth starting again. */
  readonly exitCode = 75;
}

/** A transport that must not be used as it is; the text says what to change. */
export class TransportRefusedError extends Error {
  override readonly name = "TransportRefusedError";
  /** Its text names addresses and settings only, and may be logged. */
  readonly loggable = true;
  /** EX_CONFIG: starting again changes nothing. */
  readonly exitCode = 78;
}

/** Rejects when the promise has not settled in time. */
export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TransportUnavailableError(`${what} got no answer within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

const ERROR_LOG_INTERVAL_MS = 5_000;

/** An 'error' listener that never throws and writes at most one line per interval: a broken link errors many times a second. */
export function errorLogger(log: QueueLog, fields: object): (error: Error) => void {
  let silentUntilMs = 0;
  let suppressed = 0;
  return (error) => {
    const nowMs = performance.now();
    if (nowMs < silentUntilMs) {
      suppressed += 1;
      return;
    }
    silentUntilMs = nowMs + ERROR_LOG_INTERVAL_MS;
    log.warn({ ...fields, error: describe(error), suppressed }, "queue transport error");
    suppressed = 0;
  };
}

/** A connection refused on two addresses is an AggregateError with an empty message: its code says what happened. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error && typeof error.code === "string" ? `${error.code} ` : "";
  return `${code}${error.message}`.trim() || error.name;
}
