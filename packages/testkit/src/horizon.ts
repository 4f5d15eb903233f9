/** When what is in the books can be sealed, and drawn from. */
import type { Pool } from "@contingent/db/pool";
import { isHorizonReached } from "@contingent/ledger/bookkeeping/horizon";
import { until } from "./until.ts";

const HORIZON_TIMEOUT_MS = 20_000;

/** Waits for transactions that are older: one in another database of the test run's server holds the books back, too. */
export async function horizonReached(pool: Pool): Promise<void> {
  await until(() => isHorizonReached(pool), {
    timeoutMs: HORIZON_TIMEOUT_MS,
    intervalMs: 5,
    what: "older transactions to end",
  });
}
