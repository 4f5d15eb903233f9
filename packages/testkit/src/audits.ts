/** What the ledger service draws for audits by and by, drawn now. */
import type { Pool } from "@contingent/db/pool";
import { drawAudits, hasUndrawn } from "@contingent/ledger/audits/draw";
import { partsOf } from "./jobs.ts";
import { until } from "./until.ts";

const DRAWING_TIMEOUT_MS = 20_000;

/**
 * Draws from every charge there is. A transaction that runs in another database of the server may hold a round back for a
 * moment.
 * @returns how many rounds it took
 */
export async function drawAll(pool: Pool, transactionsMax = 1_000): Promise<number> {
  let rounds = 0;
  const drawn = async (): Promise<boolean> => {
    for (let isMore = true; isMore; rounds += 1) {
      isMore = (await drawAudits(pool, partsOf(pool).versions, transactionsMax))?.isMore === true;
    }
    return !(await hasUndrawn(pool));
  };
  await until(drawn, { timeoutMs: DRAWING_TIMEOUT_MS, intervalMs: 10, what: "every charge to be drawn from" });
  return rounds;
}
