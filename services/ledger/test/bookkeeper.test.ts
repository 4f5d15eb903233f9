/** Hazard: a bookkeeper that gives up when a round fails, does not stop, or leaves something lying. */
import { openPool, type OpenPool } from "@contingent/db/pool";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { createLog } from "@contingent/runtime/log";
import { driveTo } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runBookkeeper } from "../src/bookkeeper.ts";

let database: TestDatabase;
let pool: OpenPool;

beforeEach(async () => {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

test("it goes on after a round that failed, seals what there is, and stops when it is told to", async () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLog({ service: "ledger", instance: "test", level: "debug", destination });
  const stopping = new AbortController();
  const wait = { timeoutMs: 20_000, intervalMs: 10 };
  await driveTo(pool, "closed");
  await pool.query("ALTER TABLE margin_rollup RENAME TO margin_rollup_away");
  const running = runBookkeeper({ pool, log }, { intervalMs: 20, signal: stopping.signal });

  await until(() => lines.some((line) => line.includes("bookkeeping failed")), { ...wait, what: "a round to fail" });
  expect(await verifyChain(pool)).toMatchObject({ blocks: 0, head: null });
  await pool.query("ALTER TABLE margin_rollup_away RENAME TO margin_rollup");
  const isSealed = async (): Promise<boolean> => (await verifyChain(pool)).unsealed === 0;
  await until(isSealed, { ...wait, what: "the books to be sealed" });
  await driveTo(pool, "closed");
  await until(isSealed, { ...wait, what: "what came later to be sealed" });

  stopping.abort();
  await running;
  await driveTo(pool, "closed");
  expect((await verifyChain(pool)).unsealed).toBeGreaterThan(0);
});
