/**
 * Liveness means progress, not a running process: a consumer that lost its connection in a way that nobody noticed looks
 * healthy for days. It is stuck when messages wait, it has room for one, and it takes none for a while.
 */
export class ProgressWatch {
  readonly #patienceMs: number;
  #underWay = 0;
  /** Since when messages were seen to wait without one being taken; null: nothing suspicious. */
  #waitingSinceMs: number | null = null;

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  taken(): void {
    this.#underWay += 1;
    this.#waitingSinceMs = null;
  }

  ended(): void {
    this.#underWay -= 1;
  }

  /**
   * Called now and then with what is seen of the queue. One look proves nothing, because a message may have arrived just
   * before it: only messages that wait at every look for longer than the patience do.
   */
  isStuck(seen: { readonly waiting: number; readonly concurrency: number; readonly nowMs: number }): boolean {
    if (seen.waiting === 0 || this.#underWay >= seen.concurrency) {
      this.#waitingSinceMs = null;
      return false;
    }
    this.#waitingSinceMs ??= seen.nowMs;
    return seen.nowMs - this.#waitingSinceMs > this.#patienceMs;
  }
}
