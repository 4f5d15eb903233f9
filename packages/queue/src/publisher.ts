/** Publishing to one queue: messages of the same tick travel together, in the way that is cheaper on the transport. */
import { messageId, type JobMessage, type QueueName } from "@contingent/contracts/messages/catalog";
import { failSpan, startSend } from "./tracing.ts";
import {
  type BrokerQueue,
  describe,
  type Publication,
  type PublishOptions,
  type Transport,
  TransportUnavailableError,
  within,
} from "./transport.ts";

/** A batch that the transport has not confirmed by then is given up: the sweeper publishes what did not arrive. */
const PUBLISH_TIMEOUT_MS = 3_000;
const BATCH_MAX = 500;
/** More than this wait only for a transport that hangs. Each is a hint, and what is not taken here the sweeper publishes. */
export const WAITING_MAX = 20_000;

/** Where a message stands in its queue. */
export interface Placing {
  readonly delayMs: number;
  /** Of those that are due the lowest goes first, and 0 before all others; equal ones in the order in which they came. */
  readonly priority: number;
  /** Under another id, beside one that a consumer has taken up. */
  readonly again?: boolean;
}

interface Waiting {
  readonly publication: Publication;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Publisher {
  readonly #name: QueueName;
  readonly #open: () => BrokerQueue;
  readonly #transport: Transport;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #scheduled = false;

  /** @param open the queue to publish to; asked for every batch, because one that could not connect is replaced */
  constructor(name: QueueName, open: () => BrokerQueue, transport: Transport) {
    this.#name = name;
    this.#open = open;
    this.#transport = transport;
  }

  /**
   * Resolves when the transport has the message (or already had one of the same id).
   * @throws TransportUnavailableError
   */
  async publish(message: JobMessage, placing: Placing): Promise<void> {
    const sending = startSend(this.#name, message);
    try {
      await this.#enqueue(publicationOf(sending.message, placing));
    } catch (error) {
      failSpan(sending.span, error);
      throw error;
    } finally {
      sending.span.end();
    }
  }

  #enqueue(publication: Publication): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw this.#refusal(new Error(`${WAITING_MAX} messages wait for it already`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ publication, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#inFlight >= this.#transport.batchesInFlightMax) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const batch = this.#waiting.splice(0, BATCH_MAX);
      this.#inFlight += 1;
      void this.#send(batch).finally(() => {
        this.#inFlight -= 1;
        this.#schedule();
      });
      this.#schedule();
    });
  }

  /** Never rejects: each message's own promise tells how it went. */
  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const queue = this.#open();
      const sent = batch.length < this.#transport.bulkFrom ? addEach(queue, batch) : addBulk(queue, batch);
      await within(sent, PUBLISH_TIMEOUT_MS, "The queue transport");
    } catch (error) {
      const refusal = this.#refusal(error);
      for (const { reject } of batch) reject(refusal);
    }
  }

  #refusal(cause: unknown): TransportUnavailableError {
    const text = `The queue transport did not take a message for ${this.#name} (${describe(cause)}); the sweeper will publish it.`;
    return new TransportUnavailableError(text, { cause });
  }
}

async function addBulk(queue: BrokerQueue, batch: readonly Waiting[]): Promise<void> {
  await queue.addBulk(batch.map(({ publication }) => publication));
  for (const { resolve } of batch) resolve();
}

async function addEach(queue: BrokerQueue, batch: readonly Waiting[]): Promise<void> {
  await Promise.all(
    batch.map(async ({ publication: { name, data, opts }, resolve }) => {
      await queue.add(name, data, opts);
      resolve();
    }),
  );
}

function publicationOf(message: JobMessage, placing: Placing): Publication {
  const id = placing.again === true ? `${messageId(message)}-again` : messageId(message);
  return { name: "job", data: message, opts: optionsOf(id, placing) };
}

/** How every message is published. */
export function optionsOf(id: string, { delayMs, priority }: Placing): PublishOptions {
  return {
    jobId: id,
    delay: Math.max(0, Math.round(delayMs)),
    priority,
    attempts: 1,
    // A message that is kept after its end would block the same id from being published again.
    removeOnComplete: true,
    removeOnFail: true,
  };
}
