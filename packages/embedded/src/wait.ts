import { setTimeout as pause } from "node:timers/promises";

const INTERVAL_DEFAULT_MS = 50;

export interface WaitOptions {
  readonly timeoutMs: number;
  /** What is waited for, for the message when it does not come. */
  readonly what?: string;
  readonly intervalMs?: number;
  /** Errors after which waiting is pointless: they are thrown at once. */
  readonly stopOn?: (error: unknown) => boolean;
}

/**
 * Waits until a condition holds and returns what it returned. A condition that throws counts as one that does not hold
 * yet; its last error is the cause of the failure.
 * @throws Error naming `what` was waited for when the time is over.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const giveUpAtMs = Date.now() + options.timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (holds(value)) return value;
      cause = undefined;
    } catch (error) {
      if (options.stopOn?.(error) === true) throw error;
      cause = error;
    }
    if (Date.now() >= giveUpAtMs)
      throw new Error(`waited ${options.timeoutMs} ms in vain for ${options.what ?? "a condition"}`, { cause });
    await pause(options.intervalMs ?? INTERVAL_DEFAULT_MS);
  }
}

function holds<T>(value: T): value is Exclude<T, false | null | undefined> {
  return value !== false && value !== null && value !== undefined;
}
