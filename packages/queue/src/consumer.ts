/** Consuming one queue. */
import { setTimeout as delay } from "node:timers/promises";
import { contractOf, jobMessageSchema, type JobMessage, type QueueName } from "@contingent/contracts/messages/catalog";
import { ProgressWatch } from "./progress.ts";
import { queueWaitRecorder, withProcess } from "./tracing.ts";
import {
  type BrokerWorker,
  type Delivery,
  errorLogger,
  type QueueLog,
  type Transport,
  TransportUnavailableError,
} from "./transport.ts";

export interface DeliveryContext {
  /** Fires when the queue's processing timeout has passed; the message is dropped then. */
  readonly signal: AbortSignal;
  /** Whether an earlier consumer took the message up and died. */
  readonly redelivered: boolean;
}

/**
 * Handles one message. It may run more than once for the same message, also at the same time: the job's revision is
 * the fence. When it throws, the message is logged and dropped, and the sweeper publishes it anew.
 */
export type Handler = (message: JobMessage, delivery: DeliveryContext) => Promise<void>;

export interface Consumer {
  /** Resolves once messages are being taken. */
  ready(): Promise<void>;
  /**
   * A liveness check, to be called every few seconds.
   * @throws TransportUnavailableError when messages wait and this consumer, which has room, takes none.
   */
  checkProgress(): Promise<void>;
  /** Takes no new message and resolves when the handlers that run have ended. */
  close(): Promise<void>;
}

/** How long messages may wait for a consumer with room before it counts as stuck. */
const STUCK_AFTER_MS = 30_000;

/** How long to wait before a worker that could not start is made anew. */
const RESTART_DELAY_MS = 500;

class ProcessingTimeoutError extends Error {
  override readonly name = "ProcessingTimeoutError";
}

export interface ConsumerParts {
  readonly transport: Transport;
  readonly queue: QueueName;
  readonly handler: Handler;
  readonly concurrency: number;
  /** How many messages could be taken now: none while the queue is paused. */
  readonly countWaiting: () => Promise<number>;
  readonly log: QueueLog;
}

/**
 * BullMQ remembers a failed first connection for ever, so a worker that did not become ready is replaced by another
 * until one does.
 */
export class RestartingConsumer implements Consumer {
  readonly #open: () => BrokerWorker;
  readonly #onError: (error: Error) => void;
  readonly #stop = new AbortController();
  readonly #ready: Promise<void>;
  readonly #progress = new ProgressWatch(STUCK_AFTER_MS);
  readonly #queue: QueueName;
  readonly #concurrency: number;
  readonly #countWaiting: () => Promise<number>;
  #worker: BrokerWorker | undefined;

  constructor({ transport, queue, handler, concurrency, countWaiting, log }: ConsumerParts) {
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.#countWaiting = countWaiting;
    const recordWait = queueWaitRecorder(queue);
    const process = async (delivery: Delivery): Promise<void> => {
      this.#progress.taken();
      await handle(queue, handler, delivery, recordWait, log);
      this.#progress.ended();
    };
    this.#open = () => transport.openWorker(queue, process, concurrency);
    this.#onError = errorLogger(log, { queue, connection: "consumer" });
    this.#ready = this.#start();
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  async checkProgress(): Promise<void> {
    const waiting = await this.#countWaiting();
    const seen = { waiting, concurrency: this.#concurrency, nowMs: performance.now() };
    if (!this.#stop.signal.aborted && this.#progress.isStuck(seen)) {
      throw new TransportUnavailableError(`Messages wait in ${this.#queue} and this consumer takes none: restart it.`);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#worker?.close();
  }

  async #start(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const worker = this.#open();
      worker.on("error", this.#onError);
      this.#worker = worker;
      try {
        await worker.waitUntilReady();
        if (!this.#stop.signal.aborted) worker.run().catch(this.#onError);
        return;
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error("The worker could not start.", { cause: error }));
        await worker.close(true).catch(this.#onError);
        await delay(RESTART_DELAY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }
}

async function handle(
  queue: QueueName,
  handler: Handler,
  delivery: Delivery,
  recordWait: (waitMs: number) => void,
  log: QueueLog,
): Promise<void> {
  const parsed = jobMessageSchema.safeParse(delivery.data);
  if (!parsed.success) {
    log.error(
      { queue, messageId: delivery.id, fields: parsed.error.issues.map(({ path }) => path.join(".")) },
      "message dropped: malformed",
    );
    return;
  }
  const message = parsed.data;
  recordWait(Math.max(0, Date.now() - delivery.timestamp - (delivery.opts.delay ?? 0)));
  try {
    await withProcess(queue, message, () => withDeadline(queue, delivery, handler, message));
  } catch (error) {
    log.error(
      {
        queue,
        jobId: message.jobId,
        revision: message.revision,
        error: error instanceof Error ? error.name : "unknown",
        err: error,
      },
      "message dropped: its handler failed",
    );
  }
}

async function withDeadline(
  queue: QueueName,
  delivery: Delivery,
  handler: Handler,
  message: JobMessage,
): Promise<void> {
  const { processingTimeoutMs } = contractOf(queue);
  const abort = new AbortController();
  const expiry = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new ProcessingTimeoutError(`The handler of ${queue} took longer than ${processingTimeoutMs} ms.`);
    abort.abort(error);
    expiry.reject(error);
  }, processingTimeoutMs);
  try {
    const handled = handler(message, { signal: abort.signal, redelivered: delivery.attemptsStarted > 1 });
    await Promise.race([handled, expiry.promise]);
  } finally {
    clearTimeout(timer);
  }
}
