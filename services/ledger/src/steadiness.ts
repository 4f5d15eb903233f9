/**
 * For how long the database has been seen without interruption. Somebody who was away, or could not see, knows nothing of
 * what others did meanwhile: after an outage nobody has shown a sign of life for a while.
 */
export class Steadiness {
  readonly #gapMaxMs: number;
  #sinceMs = 0;
  #lastMs: number | null = null;

  /** @param gapMaxMs between two answers; a longer one is an interruption, whoever it was that slept */
  constructor(gapMaxMs: number) {
    this.#gapMaxMs = gapMaxMs;
  }

  /** It answered. @returns how long it has done so, ms */
  answered(nowMs: number): number {
    if (this.#lastMs === null || nowMs - this.#lastMs > this.#gapMaxMs) this.#sinceMs = nowMs;
    this.#lastMs = nowMs;
    return nowMs - this.#sinceMs;
  }

  interrupted(): void {
    this.#lastMs = null;
  }
}
