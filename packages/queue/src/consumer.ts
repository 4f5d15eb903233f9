/** Consuming one queue. */
import { setTimeout as delay } from "node:timers/promises";
import {
  CANARY_MESSAGE,
  contractOf,
  jobMessageSchema,
  type JobMessage,
  type QueueName,
} from "@contingent/contracts/messages/catalog";
import { withDeadline } from "./deadline.ts";
import { PATIENCE, type Patience, ProgressWatch } from "./progress.ts";
import { type DropCause, dropCounter, queueWaitRecorder, withProcess } from "./tracing.ts";
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
   * A liveness check.
   * @throws TransportUnavailableError when this consumer, which has room, takes no messages: not even its own.
   */
  checkProgress(): Promise<void>;
  /** Takes no new message and resolves when the handlers that run have ended. */
  close(): Promise<void>;
}

/** Between two looks at what the consumer has taken, and could have. */
const LOOK_INTERVAL_MS = 5_000;

/** How long the transport may take to let go of a consumer whose handlers have ended. It may be away. */
const CLOSE_GRACE_MS = 2_000;

/** How long to wait before a worker that could not start is made anew. */
const RESTART_DELAY_MS = 500;

export interface ConsumerParts {
  readonly transport: Transport;
  readonly queue: QueueName;
  readonly handler: Handler;
  readonly concurrency: number;
  /** How many messages could be taken now; null while the queue is paused. */
  readonly countWaiting: () => Promise<number | null>;
  /** Puts a message into the queue that names no job, unless one waits there. */
  readonly sendCanary: () => Promise<unknown>;
  readonly log: QueueLog;
  /** For tests, which cannot wait for what takes minutes. */
  readonly patience?: Patience;
  readonly lookIntervalMs?: number;
}

/**
 * BullMQ remembers a failed first connection for ever, so a worker that did not become ready is replaced by another
 * until one does.
 */
export class RestartingConsumer implements Consumer {
  readonly #open: () => BrokerWorker;
  readonly #onError: (error: Error) => void;
  readonly #stop = new AbortController();
  #ready: Promise<void>;
  readonly #handling = new Set<Promise<void>>();
  readonly #progress: ProgressWatch;
  readonly #parts: ConsumerParts;
  readonly #looking: NodeJS.Timeout;
  #isStuck = false;
  #worker: BrokerWorker | undefined;

  constructor(parts: ConsumerParts) {
    const {
      transport,
      queue,
      handler,
      concurrency,
      log,
      patience = PATIENCE,
      lookIntervalMs = LOOK_INTERVAL_MS,
    } = parts;
    this.#parts = parts;
    this.#progress = new ProgressWatch(patience, performance.now());
    const records = { wait: queueWaitRecorder(queue), drop: dropCounter(queue) };
    const process = async (delivery: Delivery): Promise<void> => {
      this.#progress.taken(performance.now());
      const handled = handle(queue, handler, delivery, records, log);
      this.#handling.add(handled);
      await handled;
      this.#handling.delete(handled);
      this.#progress.ended();
    };
    this.#open = () => transport.openWorker(queue, process, concurrency);
    this.#onError = errorLogger(log, { queue, connection: "consumer" });
    this.#ready = this.#start();
    this.#looking = setInterval(() => void this.#look(), lookIntervalMs).unref();
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  checkProgress(): Promise<void> {
    if (!this.#isStuck) return Promise.resolve();
    const text = `Messages wait in ${this.#parts.queue} and this consumer takes none: restart it.`;
    return Promise.reject(new TransportUnavailableError(text));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#looking);
    const closing = this.#worker?.close().catch(this.#onError);
    await Promise.race([closing, this.#abandon()]);
  }

  /** Never rejects. A transport that is away says nothing about the consumer. */
  async #look(): Promise<void> {
    const { queue, concurrency, countWaiting, sendCanary, log } = this.#parts;
    const waiting = await countWaiting().catch(() => null);
    if (this.#stop.signal.aborted) return;
    const progress = this.#progress.look({ waiting, concurrency, nowMs: performance.now() });
    const wasStuck = this.#isStuck;
    this.#isStuck = progress === "stuck";
    if (this.#isStuck && !wasStuck) log.error({ queue }, "ALARM: this consumer takes no messages");
    if (progress === "silent" || (this.#isStuck && !wasStuck)) this.#renew();
    if (progress === "unproven") await sendCanary().catch(this.#onError);
  }

  /** Another worker, with connections of its own, in the place of one that may have lost its own. Its handlers end as they would. */
  #renew(): void {
    this.#parts.log.warn({ queue: this.#parts.queue }, "consumer made anew");
    this.#worker?.close().catch(this.#onError);
    this.#ready = this.#start();
  }

  /** BullMQ would wait for a transport that is away until it is back. What it could not confirm is delivered again. */
  async #abandon(): Promise<void> {
    while (this.#handling.size > 0) await Promise.all(this.#handling);
    await delay(CLOSE_GRACE_MS, undefined, { ref: false });
  }

  /** Ends as soon as its worker runs, or another one has taken its place: two would take twice as much, and one outlive the other. */
  async #start(): Promise<void> {
    let worker: BrokerWorker;
    const isWanted = (): boolean => this.#worker === worker && !this.#stop.signal.aborted;
    do {
      worker = this.#open();
      worker.on("error", this.#onError);
      this.#worker = worker;
      try {
        await worker.waitUntilReady();
        if (isWanted()) worker.run().catch(this.#onError);
        return;
      } catch (error) {
        this.#onError(error instanceof Error ? error : new Error("The worker could not start.", { cause: error }));
        await worker.close(true).catch(this.#onError);
        await delay(RESTART_DELAY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    } while (isWanted());
  }
}

interface Records {
  readonly wait: (waitMs: number) => void;
  readonly drop: (cause: DropCause) => void;
}

async function handle(
  queue: QueueName,
  handler: Handler,
  delivery: Delivery,
  records: Records,
  log: QueueLog,
): Promise<void> {
  const parsed = jobMessageSchema.safeParse(delivery.data);
  if (!parsed.success) {
    records.drop("malformed");
    log.error(
      { queue, messageId: delivery.id, fields: parsed.error.issues.map(({ path }) => path.join(".")) },
      "message dropped: malformed",
    );
    return;
  }
  const message = parsed.data;
  if (message.jobId === CANARY_MESSAGE.jobId) return;
  records.wait(Math.max(0, Date.now() - delivery.timestamp - (delivery.opts.delay ?? 0)));
  try {
    const redelivered = delivery.attemptsStarted > 1;
    const run = (signal: AbortSignal): Promise<void> => handler(message, { signal, redelivered });
    await withProcess(queue, message, () => withDeadline(contractOf(queue).processingTimeoutMs, run));
  } catch (error) {
    records.drop("failed");
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
