/**
 * Whether the transport has kept what it was given. A message that nobody takes lies in a queue of its own: when it is
 * gone, so is everything else (FLUSHALL, TRUNCATE, a wiped disk). A lost connection says as much: a server that died has not
 * kept what it had not written yet.
 */
import { optionsOf } from "./publisher.ts";
import type { BrokerQueue, Transport } from "./transport.ts";

/** Two, because the one that is missed must be put back by nobody but who misses it. */
type Name = "canary" | "health";

export class Canary {
  readonly #transport: Transport;
  readonly #open: () => BrokerQueue;
  /** How often the connection had been lost when the canary was last seen; null: nobody can say what has been lost since. */
  #interruptions: number | null = null;

  constructor(transport: Transport, open: () => BrokerQueue) {
    this.#transport = transport;
    this.#open = open;
  }

  /**
   * Whether everything that this process saw published before the last call is there still, or was taken. The first
   * call says no, and so does one that follows a call that failed.
   */
  async isThere(): Promise<boolean> {
    const before = this.#interruptions;
    this.#interruptions = null;
    const interruptions = this.#transport.interruptions();
    const found = await this.#open().getJob("canary");
    // One that is there is not put again: what is lost right now would look as if it had been kept.
    await this.#put(found === undefined ? "canary" : "health");
    this.#interruptions = interruptions;
    return found !== undefined && before === interruptions;
  }

  /** Rejects when the transport takes no message: it is away, out of memory, read-only, or set up to lose some. */
  async takesMessages(): Promise<void> {
    await this.#put("health");
  }

  /** Nothing changes where it is there already, but the transport has to be able to write. */
  async #put(name: Name): Promise<void> {
    await this.#transport.check();
    await this.#open().add(name, {}, optionsOf(name, { delayMs: 0, priority: 0 }));
  }
}
