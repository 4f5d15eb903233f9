/** Many runs at once on one database, and what is wrong with the first that fails, with as few operations as possible. */
import type { Pool } from "@contingent/db/pool";
import { openPool } from "@contingent/db/pool";
import { checkBooks } from "@contingent/ledger/check-books";
import { partsOf } from "@contingent/testkit/jobs";
import { freshDatabase } from "@contingent/testkit/postgres";
import { expectSameBooks } from "./compare.ts";
import { inWords, type Operation } from "./operation.ts";
import { perform } from "./perform.ts";
import { terms, topUp } from "./perform-money.ts";
import { type Market, openMarket, Run } from "./run.ts";

const CONNECTIONS_MAX = 6;
/** Making a failure smaller is worth this long; 0: nothing. */
const SHRINKING_MAX_MS = Number(process.env["SHRINKING_MS"] ?? 120_000);

/** A run that went wrong. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
  readonly operations: readonly Operation[];

  constructor(operations: readonly Operation[], log: readonly string[], cause: unknown) {
    super(`${String(cause)}\nafter\n  ${log.join("\n  ")}`, { cause });
    this.operations = operations;
  }
}

/** On a database of their own. */
export async function onFreshMarket<T>(use: (market: Market) => Promise<T>): Promise<T> {
  const database = await freshDatabase();
  const pool = openPool(database.url, { applicationName: "books", connectionsMax: CONNECTIONS_MAX });
  try {
    return await use(await openMarket(pool));
  } finally {
    await pool.end();
    await database.drop();
  }
}

/** Does the operations, and holds the books against the reference. */
export async function runOnce(market: Market, operations: readonly Operation[]): Promise<void> {
  const run = await Run.open(market);
  try {
    await begin(run, operations[0]?.how ?? 0);
    for (const operation of operations) await perform(run, operation);
    await expectSameBooks(run);
  } catch (error) {
    throw new RunFailed(operations, run.log, error);
  }
}

/** Money to begin with, and mostly terms of their own for both customers. */
async function begin(run: Run, how: number): Promise<void> {
  const operation = { do: "terms", at: 0, how: 0, fate: "lives" } as const;
  await topUp(run, { ...operation, at: 1, how: 6 });
  if (how % 4 === 0) return;
  for (const at of run.customers.keys()) await terms(run, { ...operation, at });
}

/** Everything that any invariant says against the books. */
export async function violations(pool: Pool): Promise<readonly string[]> {
  const results = await checkBooks(pool, partsOf(pool).versions);
  return results.flatMap(({ number, violations: found }) => found.map((what) => `invariant ${number}: ${what}`));
}

async function failureOf(operations: readonly Operation[]): Promise<RunFailed | null> {
  return await onFreshMarket(async (market) => {
    try {
      await runOnce(market, operations);
      const broken = await violations(market.pool);
      if (broken.length === 0) return null;
      return new RunFailed(operations, operations.map(inWords), broken.join("\n"));
    } catch (error) {
      if (error instanceof RunFailed) return error;
      throw error;
    }
  });
}

/**
 * The smallest failure found by leaving operations out, each try alone on a fresh database. Null when the run does not fail
 * alone: then it takes the others of its group.
 */
export async function shrunk(operations: readonly Operation[]): Promise<RunFailed | null> {
  if (SHRINKING_MAX_MS === 0) return null;
  const untilMs = performance.now() + SHRINKING_MAX_MS;
  let smallest = await failureOf(operations);
  for (let size = Math.ceil(operations.length / 2); smallest !== null && size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < smallest.operations.length && performance.now() < untilMs;) {
      const fewer: readonly Operation[] = smallest.operations.toSpliced(from, size);
      const failure: RunFailed | null = fewer.length === 0 ? null : await failureOf(fewer);
      if (failure === null) from += size;
      else smallest = failure;
    }
  }
  return smallest;
}
