/** Requests that wait to be released, so that a test can hold a race open for as long as it likes. */

export class Holds {
  readonly #waiting = new Set<{ readonly name: string; readonly resolve: () => void }>();

  /** Resolves when the name is released or the signal is aborted. */
  async wait(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const letGo = (): void => resolve();
    const entry = { name, resolve: letGo };
    this.#waiting.add(entry);
    signal.addEventListener("abort", letGo, { once: true });
    await promise;
    signal.removeEventListener("abort", letGo);
    this.#waiting.delete(entry);
  }

  /** Releases what is held under the name, or everything; returns how many that were. */
  release(name: string | null): number {
    let released = 0;
    for (const entry of this.#waiting) {
      if (name !== null && entry.name !== name) continue;
      this.#waiting.delete(entry);
      entry.resolve();
      released++;
    }
    return released;
  }

  /** How many requests are held, under the name or at all. */
  count(name: string | null = null): number {
    return [...this.#waiting].filter((entry) => name === null || entry.name === name).length;
  }
}
