/** The sign of life of a process that holds jobs: without it they are taken away from it, long before it may take no longer. */
import { forgetHolder, showHolder } from "./holders.ts";
import type { Pool } from "./pool.ts";

/** Several may fail before anybody minds (the ledger service waits for 10 s). */
const BEAT_INTERVAL_MS = 2_000;
/** One that hangs in a broken connection must not hold up the next; many must not take all of the pool's connections. */
const BEATS_UNDER_WAY_MAX = 3;

/**
 * Resolves once the database knows the process, and says so again and again. Disposing of it, when the process holds
 * nothing any more, takes its name back.
 */
export async function startPulse(
  pool: Pool,
  holder: string,
  log: { readonly warn: (fields: object, message: string) => void },
  intervalMs: number = BEAT_INTERVAL_MS,
): Promise<AsyncDisposable> {
  await showHolder(pool, holder);
  let underWay = 0;
  const beat = async (): Promise<void> => {
    if (underWay >= BEATS_UNDER_WAY_MAX) return;
    underWay += 1;
    try {
      await showHolder(pool, holder);
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message : String(error) }, "no sign of life could be given");
    } finally {
      underWay -= 1;
    }
  };
  const timer = setInterval(() => void beat(), intervalMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // One that cannot be taken back is forgotten later, by whoever misses it.
      await forgetHolder(pool, holder).catch(() => undefined);
    },
  };
}
