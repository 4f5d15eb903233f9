/** Bookkeeping in tests: sealing until nothing is left, and damage that nothing but a superuser can do. */
import type { JobId } from "@contingent/core/ids";
import { type Pool, readAll, readWholeTables } from "@contingent/db/pool";
import { checkRollups } from "@contingent/ledger/bookkeeping/rollup-checks";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { until } from "@contingent/testkit/until";
import { whileDamaged } from "./every-fate.ts";

const SEALING_TIMEOUT_MS = 20_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** Seals all there is. A transaction that runs in another database of the server may hold a window back for a moment. */
export async function sealAll(pool: Pool, transactionsMax?: number): Promise<void> {
  const sealed = async (): Promise<boolean> => {
    while ((await sealWindow(pool, transactionsMax))?.isMore === true);
    return (await verifyChain(pool)).unsealed === 0;
  };
  await until(sealed, { timeoutMs: SEALING_TIMEOUT_MS, intervalMs: 10, what: "everything to be sealed" });
}

/** What is found while the statement's damage is there, in a transaction that is taken back: in full, and from a block on. */
export async function faultsWith(pool: Pool, damage: string, block: number): Promise<Faults> {
  return await whileDamaged(pool, [damage], {}, async (client) => {
    await readWholeTables(client, STATEMENT_TIMEOUT_MS);
    return { inFull: await checkRollups(client), since: await checkRollups(client, block) };
  });
}

interface Faults {
  readonly inFull: readonly string[];
  readonly since: readonly string[];
}

export async function rollupFaults(pool: Pool, sinceBlock?: number): Promise<readonly string[]> {
  return await readAll(pool, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }, (client) =>
    checkRollups(client, sinceBlock),
  );
}

/** Runs the statements with every trigger and foreign key off; each must change something. */
export async function tamper(pool: Pool, ...statements: readonly string[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("SET session_replication_role = replica");
    for (const text of statements) {
      const { rowCount } = await client.query(text);
      if (rowCount === 0) throw new Error(`no damage was done by: ${text}`);
    }
  } finally {
    client.release(true);
  }
}

/** Lets the job's transactions have been booked, and dated, so many days ago. */
export async function backdate(pool: Pool, id: JobId, days: number): Promise<void> {
  const moved = `at = at - interval '${days} days', dated_at = dated_at - interval '${days} days'`;
  await tamper(pool, `UPDATE ledger_transaction SET ${moved} WHERE job_id = '${id}'`);
}

export interface Block {
  readonly number: number;
  readonly day: string;
  readonly from_xact: string;
  readonly until_xact: string;
  readonly transactions: number;
}

export async function blocksOf(pool: Pool): Promise<readonly Block[]> {
  const { rows } = await pool.query<Block>({
    text: `SELECT number, to_char(day, 'YYYY-MM-DD') AS day, from_xact::text, until_xact::text, transactions
             FROM ledger_block ORDER BY number`,
  });
  return rows;
}
