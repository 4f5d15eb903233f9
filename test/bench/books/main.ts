/**
 * `node test/bench/books/main.ts --jobs 1000000`: what the books cost when there are many of them. Writes a history, seals it,
 * checks every invariant on it, in full and since the last check, and asks for margins.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { migrate } from "@contingent/db/migrate";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool } from "@contingent/db/pool";
import { startPostgres } from "@contingent/embedded/postgres";
import { checkBooksSince } from "@contingent/ledger/check-books";
import { readMargin } from "@contingent/ledger/bookkeeping/margin";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import { driveTo } from "@contingent/testkit/jobs";
import { sizeOf, writeHistory } from "./history.ts";

/** Written after the full check, for one that looks at the news only. */
const NEW_JOBS = 1_000;
const NEW_CUSTOMER = "cus_new";

const { values } = parseArgs({
  options: { jobs: { type: "string", default: "100000" }, database: { type: "string" } },
});
await using stack = new AsyncDisposableStack();
const url = values.database ?? (await ownDatabase());
await migrate(url);
const pool = openPool(url, { applicationName: "bench", connectionsMax: 4 });
stack.defer(() => pool.end());

if ((await sizeOf(pool)).jobs === 0n) {
  await timed("history written", () =>
    writeHistory(pool, Number(values.jobs), (line) => process.stderr.write(`\r${line}`)),
  );
  await timed("vacuumed and analyzed", vacuum);
}
print(
  Object.entries(await sizeOf(pool))
    .map(([name, size]) => `${size} ${name}`)
    .join(", "),
);
await timed("sealed and rolled up", async () => {
  while (((await sealWindow(pool))?.transactions ?? 0) > 0);
});
const versions = outcomeTypeVersions(pool);
const seen = await timed("all invariants, on everything", () => check(null));
await timed(`${NEW_JOBS} more jobs`, () =>
  Promise.all(Array.from({ length: NEW_JOBS }, () => driveTo(pool, "closed", { customerId: NEW_CUSTOMER }))),
);
await timed("all invariants, on what is new", () => check(seen));
await timed("margin by customer, with those jobs not sealed yet", () => readMargin(pool, { groupBy: ["customer"] }));
await timed("those jobs sealed and rolled up", () => sealWindow(pool));
await timed("margin by customer", () => readMargin(pool, { groupBy: ["customer"] }));

async function check(sinceXact: bigint | null): Promise<bigint> {
  const { invariants, untilXact } = await checkBooksSince(pool, versions, sinceXact);
  for (const { number, promise, durationMs, violations } of invariants) {
    print(`  ${String(number).padStart(2)} ${(durationMs / 1_000).toFixed(1).padStart(6)} s  ${promise.slice(0, 90)}`);
    for (const what of violations.slice(0, 3)) print(`             BROKEN ${what}`);
  }
  return untilXact;
}

/** A server of its own, for this run. */
async function ownDatabase(): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-books-"));
  fs.chmodSync(folder, 0o755);
  stack.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({
    folder: path.join(folder, "postgres"),
    logFile: path.join(folder, "postgres.log"),
    keep: "scratch",
    settings: { shared_buffers: "1GB", max_wal_size: "8GB", maintenance_work_mem: "512MB" },
  });
  stack.defer(() => postgres.stop());
  await postgres.ensureDatabase("books");
  return postgres.url("books");
}

async function vacuum(): Promise<void> {
  const client = await pool.connect();
  await client.query("SET statement_timeout = 0");
  await client.query("VACUUM ANALYZE");
  client.release(true);
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  print(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s`);
  return result;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
