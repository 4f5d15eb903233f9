/**
 * What the simulator received and what it would have billed: the truth from outside, against which a client's own
 * books can be held. The last entries are kept, the totals are complete.
 */
import type { JsonObject } from "@contingent/core/json";

const ENTRIES_MAX = 20_000;
const EXCERPT_CHARACTERS = 200;

export type RequestState = "received" | "held" | "answered" | "failed" | "hung" | "cut" | "aborted";

/** One request to `/v1/messages` or `/v1/messages/count_tokens` that named a model and a prompt. */
export interface RequestRecord {
  readonly request_id: string;
  readonly endpoint: "messages" | "count_tokens";
  readonly model: string;
  readonly max_tokens: number | null;
  readonly stream: boolean;
  readonly prompt_excerpt: string;
  readonly prompt_characters: number;
  /** Findings of an earlier verdict in the prompt. */
  readonly findings: number;
  state: RequestState;
  /** HTTP status, once there is one. */
  status: number | null;
  /** What the answer was: the script's step, or `model`. */
  step: string;
  /** The mistakes made on purpose or for lack of skill; null as long as nothing was answered. */
  mistakes: readonly string[] | null;
  /** The client went away before the answer was complete. */
  aborted: boolean;
}

/** One bill. Tokens that were made are billed whether or not anybody received them. */
export interface BilledRecord {
  readonly request_id: string;
  readonly model: string;
  readonly usage: JsonObject;
  readonly prompt_excerpt: string;
  /** Whether the client received the whole answer, as far as the server can tell. */
  readonly delivered: boolean;
  readonly aborted: boolean;
}

export class Log {
  readonly #requests = new Ring<RequestRecord>();
  readonly #billed = new Ring<BilledRecord>();
  readonly #waiters = new Set<() => void>();

  received(
    entry: Omit<
      RequestRecord,
      "prompt_excerpt" | "prompt_characters" | "state" | "status" | "step" | "mistakes" | "aborted"
    >,
    prompt: string,
  ): RequestRecord {
    const record: RequestRecord = {
      ...entry,
      prompt_excerpt: prompt.slice(0, EXCERPT_CHARACTERS),
      prompt_characters: prompt.length,
      state: "received",
      status: null,
      step: "model",
      mistakes: null,
      aborted: false,
    };
    this.#requests.add(record);
    this.changed();
    return record;
  }

  bill(record: RequestRecord, usage: JsonObject, delivered: boolean): void {
    this.#billed.add({
      request_id: record.request_id,
      model: record.model,
      usage,
      prompt_excerpt: record.prompt_excerpt,
      delivered,
      aborted: record.aborted,
    });
    this.changed();
  }

  requests(): readonly RequestRecord[] {
    return this.#requests.all();
  }

  billed(): readonly BilledRecord[] {
    return this.#billed.all();
  }

  /** How many there were in all, the ones no longer kept included. */
  totals(): { requests: number; billed: number } {
    return { requests: this.#requests.total, billed: this.#billed.total };
  }

  clear(): void {
    this.#requests.clear();
    this.#billed.clear();
  }

  /** Tells the waiters that an entry is new or different. */
  changed(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Resolves as soon as the condition holds: what tests wait for in place of sleeping. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = (): void => {
      if (condition()) resolve();
    };
    this.#waiters.add(waiter);
    await promise;
    this.#waiters.delete(waiter);
  }
}

/** The last entries in order, with a count of all. */
class Ring<T> {
  #entries: T[] = [];
  #dropped = 0;

  get total(): number {
    return this.#dropped + this.#entries.length;
  }

  add(entry: T): void {
    this.#entries.push(entry);
    // Half is dropped at once, so that a long benchmark does not shift the list on every request.
    if (this.#entries.length > ENTRIES_MAX) {
      const kept = this.#entries.slice(ENTRIES_MAX / 2);
      this.#dropped += this.#entries.length - kept.length;
      this.#entries = kept;
    }
  }

  all(): readonly T[] {
    return [...this.#entries];
  }

  clear(): void {
    this.#entries = [];
    this.#dropped = 0;
  }
}
