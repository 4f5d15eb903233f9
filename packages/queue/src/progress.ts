/**
 * Liveness means progress, not a running process: a consumer that lost its connection in a way that nobody noticed looks
 * healthy for days. One that takes nothing for a while sends itself a message through its own queue, so that there is something
 * to take. It is stuck when messages wait at every look and it, which has room, takes none. Where others of its queue take them
 * all, which may be luck, or their being nearer, it is silent after long enough: not ill, but worth being made anew.
 */
export interface Patience {
  /** Having taken a message proves progress for this long. */
  readonly provenMs: number;
  /** How long messages may wait for a consumer with room. */
  readonly waitingMs: number;
  /** How long a consumer with room may take nothing at all, whoever takes what there is. */
  readonly silentMs: number;
}

export const PATIENCE: Patience = { provenMs: 10_000, waitingMs: 30_000, silentMs: 600_000 };

/** What a look at the queue says of the consumer. `unproven`: a message should be sent for it to take. */
export type Progress = "fine" | "unproven" | "silent" | "stuck";

export class ProgressWatch {
  readonly #patience: Patience;
  #underWay = 0;
  #provenMs: number;
  /** Since when messages were seen to wait without one being taken; null: nothing suspicious. */
  #waitingSinceMs: number | null = null;

  constructor(patience: Patience, nowMs: number) {
    this.#patience = patience;
    this.#provenMs = nowMs;
  }

  taken(nowMs: number): void {
    this.#underWay += 1;
    this.#startAfresh(nowMs);
  }

  ended(): void {
    this.#underWay -= 1;
  }

  /**
   * Called every few seconds with what is seen of the queue. One look proves nothing, because a message may have arrived
   * just before it.
   * @param waiting how many messages could be taken; null: none can be, or nobody can say, as while the queue is paused
   */
  look(seen: { readonly waiting: number | null; readonly concurrency: number; readonly nowMs: number }): Progress {
    const { waiting, concurrency, nowMs } = seen;
    if (waiting === null || this.#underWay >= concurrency) {
      this.#startAfresh(nowMs);
      return "fine";
    }
    this.#waitingSinceMs = waiting === 0 ? null : (this.#waitingSinceMs ?? nowMs);
    const silentMs = nowMs - this.#provenMs;
    const waitingMs = this.#waitingSinceMs === null ? 0 : nowMs - this.#waitingSinceMs;
    if (waitingMs > this.#patience.waitingMs) return "stuck";
    if (silentMs > this.#patience.silentMs) {
      this.#startAfresh(nowMs);
      return "silent";
    }
    return silentMs >= this.#patience.provenMs ? "unproven" : "fine";
  }

  #startAfresh(nowMs: number): void {
    this.#provenMs = nowMs;
    this.#waitingSinceMs = null;
  }
}
