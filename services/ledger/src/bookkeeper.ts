/**
 * The bookkeeper: seals what has been booked into blocks and rolls it up, behind the jobs and never in their way. Any number
 * may run; one at a time does it, and the others find nothing to do.
 */
import { setTimeout as delay } from "node:timers/promises";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import type { LedgerContext } from "./context.ts";

/** What was booked is sealed within about this much; a margin is exact at any time. */
export const BOOKKEEPING_INTERVAL_MS = 1_000;

export interface BookkeeperOptions {
  /** Pause between rounds that found little. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Keeps the books until the signal aborts. A round that fails has done nothing; the next one tries again. */
export async function runBookkeeper(
  { pool, log }: Pick<LedgerContext, "pool" | "log">,
  { intervalMs, signal }: BookkeeperOptions,
): Promise<void> {
  while (!signal.aborted) {
    let isMore = false;
    try {
      const sealed = await sealWindow(pool);
      isMore = sealed?.isMore ?? false;
      if (sealed !== null && sealed.blocks > 0) log.debug({ ...sealed }, "sealed");
    } catch (error) {
      log.warn({ error: error instanceof Error ? error.message : String(error) }, "bookkeeping failed");
    }
    if (!isMore) await delay(intervalMs, undefined, { signal }).catch(() => {});
  }
}
