/**
 * Who is being asked right now. Asking takes seconds to minutes and goes on after the message that led to it is done
 * with, so that a slow model or service holds up only those who want to ask the same one.
 */
import type { Log } from "@contingent/runtime/log";

/** Inquiries of this process that may be with one model, or one service's origin, at once. */
export const ASKED_AT_ONCE_PER_TARGET = 64;
/** Who finds no room looks again after this long at the least; decide spreads it up to twice as long. */
export const BUSY_MS = 1_000;
/** And this much after the last one who was sent away: however many wait for a target, they are 200 looks a second. */
const BUSY_SPACING_MS = 5;
/** How long asking may go on once the process drains: below the whole drain, so that there is time to write down how it ended. */
const DRAIN_MS = 20_000;

/** What is left to do once the inquiry is open. It minds the signal `stopped`. */
export type Ask = () => Promise<void>;

interface Target {
  inFlight: number;
  /** When the last one who was sent away looks again, at the earliest; on this process's own clock. */
  lastLookMs: number;
}

export class Asking {
  readonly #log: Pick<Log, "error">;
  readonly #atOnce: number;
  readonly #targets = new Map<string, Target>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** Fires when the process drains and no time is left for asking. */
  readonly stopped = this.#stop.signal;

  constructor(log: Pick<Log, "error">, atOnce = ASKED_AT_ONCE_PER_TARGET) {
    this.#log = log;
    this.#atOnce = atOnce;
  }

  /**
   * Takes a place with the target, opens the inquiry, and lets the asking go on by itself.
   * @param target null: nobody is called, so there is always room
   * @param open resolves to what is left to do; null: nothing was opened
   * @returns null once the inquiry is open; where there was no room, and so nothing was opened, how long to wait, ms
   */
  async start(target: string | null, open: () => Promise<Ask | null>): Promise<number | null> {
    const place = target === null ? null : this.#targetOf(target);
    if (place !== null && place.inFlight >= this.#atOnce) return waitFor(place);
    if (place !== null) place.inFlight += 1;
    const leave = (): void => {
      if (target === null || place === null) return;
      place.inFlight -= 1;
      if (place.inFlight === 0) this.#targets.delete(target);
    };
    let ask: Ask | null = null;
    try {
      ask = await open();
    } finally {
      if (ask === null) leave();
    }
    if (ask !== null) this.#goOn(ask, leave);
    return null;
  }

  /** Resolves when everybody who was asked has replied, or was given up because the time of the drain is over. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), DRAIN_MS);
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    clearTimeout(timer);
  }

  #goOn(ask: Ask, leave: () => void): void {
    const asked = ask()
      .catch((error: unknown) => this.#log.error({ err: error }, "asking failed: the inquiry will be overdue"))
      .finally(() => {
        this.#inFlight.delete(asked);
        leave();
      });
    this.#inFlight.add(asked);
  }

  #targetOf(name: string): Target {
    const target = this.#targets.get(name) ?? { inFlight: 0, lastLookMs: 0 };
    this.#targets.set(name, target);
    return target;
  }
}

function waitFor(target: Target): number {
  const nowMs = performance.now();
  target.lastLookMs = Math.max(nowMs + BUSY_MS, target.lastLookMs + BUSY_SPACING_MS);
  return Math.round(target.lastLookMs - nowMs);
}
