import type { Queryable } from "@contingent/db/pool";

/**
 * Whether everything in the books can be sealed by now: no database transaction is running that is older. Reads the newest
 * entry by `ledger_transaction_by_xact`.
 */
export async function isHorizonReached(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ reached: boolean }>({
    name: "horizon-reached",
    text: `
      SELECT xact < books_horizon() AS reached
        FROM ledger_transaction ORDER BY xact DESC LIMIT 1`,
  });
  return rows[0]?.reached ?? true;
}
