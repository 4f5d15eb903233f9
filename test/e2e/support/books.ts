/** What stands in the books about a job, and whether the books are sound as a whole. */
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { checkBooks } from "@contingent/ledger/check-books";
import type { System } from "@contingent/testkit/system";
import { expect } from "vitest";

export interface JobInBooks {
  /** Keys of the job's ledger transactions, in the order in which they were booked. */
  readonly keys: readonly string[];
  /** What the customer owes for it, nanos. */
  readonly charged: bigint;
  /** What the providers are owed for it, nanos. */
  readonly cost: bigint;
  /** What is still reserved of the customer's money, nanos. */
  readonly held: bigint;
}

/** The postings about one job, summed up. */
export async function bookedFor(system: System, jobId: string): Promise<JobInBooks> {
  const { rows } = await system.pool.query<{ key: string; account_class: string; amount_nanos: bigint }>({
    text: `SELECT t.key, p.account_class, p.amount_nanos
             FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
            WHERE t.job_id = $1 ORDER BY t.at, t.id, p.seq`,
    values: [jobId],
  });
  const balance = (account: string): bigint =>
    rows.filter((row) => row.account_class === account).reduce((total, row) => total + row.amount_nanos, 0n);
  return {
    keys: [...new Set(rows.map((row) => row.key))],
    charged: balance("receivable:unbilled"),
    cost: balance("cogs"),
    held: -balance("customer:authorized"),
  };
}

const checks = new WeakMap<System, Promise<unknown>>();

/** Every invariant that can be checked on this database holds. One check at a time: it needs two connections. */
export async function expectSoundBooks(system: System): Promise<void> {
  const before = checks.get(system) ?? Promise.resolve();
  const check = before.then(
    () => checkOnce(system),
    () => checkOnce(system),
  );
  checks.set(system, check);
  await check;
}

async function checkOnce(system: System): Promise<void> {
  const results = await checkBooks(system.pool, outcomeTypeVersions(system.pool));
  const broken = results.filter((result) => result.violations.length > 0);
  expect(broken.map(({ number, promise, violations }) => ({ number, promise, violations }))).toEqual([]);
  expect(results.length).toBeGreaterThan(10);
}

/** What was reserved for an attempt before its call was made, nanos. */
export async function reserveOf(system: System, attemptId: string): Promise<bigint> {
  const { rows } = await system.pool.query<{ reserve_nanos: bigint }>({
    text: "SELECT reserve_nanos FROM attempt WHERE id = $1",
    values: [attemptId],
  });
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no attempt ${attemptId}`);
  return row.reserve_nanos;
}
