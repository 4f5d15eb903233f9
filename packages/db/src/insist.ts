import { setTimeout as delay } from "node:timers/promises";
import { isRefusal } from "./pool.ts";

const FIRST_PAUSE_MS = 50;
const PAUSE_MAX_MS = 1_000;

/**
 * Repeats a statement while the database is away: for what must not be lost, such as an answer that was paid for. Only
 * for reads, and for writes with a fence or a natural key, because an interrupted COMMIT may have happened.
 * @throws the last error once `untilMs` (of `performance.now()`) has passed, and a refusal by the database at once
 */
export async function insist<T>(run: () => Promise<T>, untilMs: number): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    try {
      return await run();
    } catch (error) {
      if (isRefusal(error) || performance.now() + pauseMs >= untilMs) throw error;
      await delay(pauseMs);
    }
  }
}
