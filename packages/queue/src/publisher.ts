/** Publishing to one queue: messages of the same tick travel together. */
import { messageId, type JobMessage, type QueueName } from "@contingent/contracts/messages/catalog";
import { failSpan, startSend } from "./tracing.ts";
import { type BrokerQueue, describe, type Publication, TransportUnavailableError, within } from "./transport.ts";

/** A batch that the transport has not confirmed by then is given up: the sweeper publishes what did not arrive. */
const PUBLISH_TIMEOUT_MS = 3_000;
const BATCH_MAX = 500;

interface Waiting {
  readonly publication: Publication;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Publisher {
  readonly #name: QueueName;
  readonly #open: () => BrokerQueue;
  readonly #inFlightMax: number;
  #waiting: Waiting[] = [];
  #inFlight = 0;
  #scheduled = false;

  constructor(name: QueueName, open: () => BrokerQueue, inFlightMax: number) {
    this.#name = name;
    this.#open = open;
    this.#inFlightMax = inFlightMax;
  }

  /**
   * Resolves when the transport has the message (or already had one of the same id).
   * @throws TransportUnavailableError
   */
  async publish(message: JobMessage, delayMs: number): Promise<void> {
    const sending = startSend(this.#name, message);
    try {
      await this.#enqueue(publicationOf(sending.message, delayMs));
    } catch (error) {
      failSpan(sending.span, error);
      throw error;
    } finally {
      sending.span.end();
    }
  }

  #enqueue(publication: Publication): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ publication, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#inFlight >= this.#inFlightMax) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
      this.#schedule();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.splice(0, BATCH_MAX);
    this.#inFlight += 1;
    try {
      await within(this.#send(batch.map(({ publication }) => publication)), PUBLISH_TIMEOUT_MS, "The queue transport");
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const unavailable = new TransportUnavailableError(
        `The queue transport did not take messages for ${this.#name} (${describe(error)}); the sweeper will publish them.`,
        { cause: error },
      );
      for (const { reject } of batch) reject(unavailable);
    } finally {
      this.#inFlight -= 1;
      this.#schedule();
    }
  }

  async #send(batch: Publication[]): Promise<void> {
    const queue = this.#open();
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      await queue.add(only.name, only.data, only.opts);
    } else {
      await queue.addBulk(batch);
    }
  }
}

function publicationOf(message: JobMessage, delayMs: number): Publication {
  return {
    name: "job",
    data: message,
    opts: {
      jobId: messageId(message),
      delay: Math.max(0, Math.round(delayMs)),
      attempts: 1,
      // A message that is kept after its end would block the same id from being published again.
      removeOnComplete: true,
      removeOnFail: true,
    },
  };
}
