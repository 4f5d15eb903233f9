/**
 * Keys that were looked up in the last seconds; also that there is no such key. So an ended key works on for a moment, and
 * whoever waits, watches or uploads with it is noticed as soon.
 */
import type { KeyId } from "@contingent/core/ids";
import type { StoredKey } from "@contingent/db/keys";

/** With the time that a request itself takes it is less than the five seconds that are promised. */
const KEY_TTL_MS = 3_000;
/** How often the keys of those are looked at that wait. */
const WATCH_INTERVAL_MS = 1_000;
const KEYS_MAX = 10_000;

export interface KnownKey {
  readonly stored: Promise<StoredKey | null>;
  readonly untilMs: number;
  /** Its use was noted since it was looked up. */
  noted: boolean;
}

interface Watch {
  readonly ended: AbortController;
  watchers: number;
}

export class KnownKeys implements Disposable {
  readonly #find: (id: KeyId) => Promise<StoredKey | null>;
  readonly #kept = new Map<KeyId, KnownKey>();
  readonly #watched = new Map<KeyId, Watch>();
  readonly #timer: NodeJS.Timeout;

  constructor(find: (id: KeyId) => Promise<StoredKey | null>) {
    this.#find = find;
    this.#timer = setInterval(() => void this.#look(), WATCH_INTERVAL_MS);
    this.#timer.unref();
  }

  get(id: KeyId): KnownKey {
    const known = this.#kept.get(id);
    if (known !== undefined && performance.now() < known.untilMs) return known;
    this.#kept.delete(id);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= KEYS_MAX && oldest !== undefined) this.#kept.delete(oldest);
    const found = { stored: this.#find(id), untilMs: performance.now() + KEY_TTL_MS, noted: false };
    this.#kept.set(id, found);
    found.stored.catch(() => this.#kept.delete(id));
    return found;
  }

  /** The key was changed here: whoever uses it next asks the database. */
  forget(id: KeyId): void {
    this.#kept.delete(id);
    void this.#lookAt(id);
  }

  /** Aborted when the key has ended. Dispose of it when nobody waits any more. */
  watch(id: KeyId): { readonly signal: AbortSignal } & Disposable {
    const watch = this.#watched.get(id) ?? { ended: new AbortController(), watchers: 0 };
    this.#watched.set(id, watch);
    watch.watchers += 1;
    const leave = (): void => {
      watch.watchers -= 1;
      if (watch.watchers === 0 && this.#watched.get(id) === watch) this.#watched.delete(id);
    };
    return { signal: watch.ended.signal, [Symbol.dispose]: leave };
  }

  async #look(): Promise<void> {
    await Promise.all([...this.#watched.keys()].map((id) => this.#lookAt(id)));
  }

  async #lookAt(id: KeyId): Promise<void> {
    const watch = this.#watched.get(id);
    if (watch === undefined) return;
    // Without the database nobody is cut off: nothing goes on anyway, and the next look tells.
    const stored = await this.get(id).stored.catch(() => undefined);
    if (stored === undefined || stored?.active === true) return;
    if (this.#watched.get(id) === watch) this.#watched.delete(id);
    watch.ended.abort();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
