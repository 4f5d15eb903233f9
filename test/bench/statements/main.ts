/**
 * `node test/bench/statements/main.ts --lines 1000000`: one customer's month with very many lines. Says how long the whole
 * CSV takes through the real API, how much memory that takes, and what closing takes.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { statementIdOf, periodAfter, periodAt } from "@contingent/core/statement/period";
import { nanos, ZERO } from "@contingent/core/money";
import { publishTerms } from "@contingent/db/customer-terms";
import { ensureCustomer } from "@contingent/db/customers";
import { createKey } from "@contingent/db/keys";
import { migrate } from "@contingent/db/migrate";
import { openPool } from "@contingent/db/pool";
import { startPostgres } from "@contingent/embedded/postgres";
import { serviceProcesses } from "@contingent/embedded/services";
import { startService, stopServices } from "@contingent/embedded/system";
import { beginClosing, finishClosing } from "@contingent/ledger/statement/close";
import { acceptedJob, answer, claim, driveTo, happens, judge, OUTCOME_TYPE, take } from "@contingent/testkit/jobs";
import { copyMonth } from "./month.ts";

const SAMPLE_MS = 200;
const MB = 1024 * 1024;
const CUSTOMER = "cus_statements";

const { values } = parseArgs({ options: { lines: { type: "string", default: "1000000" } } });
const lines = Number(values.lines);
await using stack = new AsyncDisposableStack();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-statements-"));
fs.chmodSync(folder, 0o755);
stack.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
const url = await ownDatabase();
await migrate(url);
const pool = openPool(url, { applicationName: "bench", connectionsMax: 4 });
stack.defer(() => pool.end());

const period = periodAfter(periodAt(Date.now()));
const statement = statementIdOf(CUSTOMER, period);
await ensureCustomer(pool, { id: CUSTOMER, name: "Bench" });
await setClock(period.startMs + 1);
const bands = { mode: "graduated", bands: [{ fromOutcome: 1_000, fraction: 0.8 }] } as const;
const terms = {
  prices: {},
  outcomeTypes: { [OUTCOME_TYPE]: { allowance: 100, bands } },
  discountShare: 0.05,
  discountFixed: nanos(1_000_000n),
  commitmentMinimum: ZERO,
};
await publishTerms(pool, CUSTOMER, { definition: {}, terms, effectiveFromMs: null });
const charged = await driveTo(pool, "closed", { customerId: CUSTOMER });
const failed = await acceptedJob(pool, { customerId: CUSTOMER });
await take(pool, failed, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
await timed("rows written", () => copyMonth(pool, { charged, failed, lines }));
await setClock(period.endMs + 1);

const { text: key } = await createKey(pool, { kind: "operator", label: "bench" });
const intake = await startIntake();
await timed("CSV of the open statement", () => download());
await timed("closed, first step (holds the account's lock)", () => beginClosing(pool, statement));
await timed("closed, second step", () => finishClosing(pool, statement));
await timed("CSV of the closed statement", () => download());

print(`this process, which has closed the statement: ${Math.round(process.memoryUsage().heapUsed / MB)} MB of heap`);

/** Reads the whole file and throws it away; says how large it was and what the service's memory did meanwhile. */
async function download(): Promise<void> {
  const samples: number[] = [rssOf(intake.pid)];
  const sampling = setInterval(() => samples.push(rssOf(intake.pid)), SAMPLE_MS);
  const answered = await fetch(`http://127.0.0.1:${intake.port}/v1/statements/${statement}/csv`, {
    headers: { authorization: `Bearer ${key}` },
  });
  let bytes = 0;
  let rows = 0;
  for await (const chunk of (answered.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) rows += 1;
  }
  clearInterval(sampling);
  const [tenth, last] = [samples[Math.floor(samples.length / 10)] ?? 0, samples.at(-1) ?? 0];
  const peak = Math.max(...samples);
  print(
    `  ${rows} rows, ${Math.round(bytes / MB)} MB; resident MB: ${samples[0]} before, ${tenth} at a tenth, ${last} at the end, ${peak} at most`,
  );
}

async function startIntake(): Promise<{ readonly pid: number; readonly port: number }> {
  const wiring = {
    databaseUrl: url,
    queueUrl: url,
    apiPort: 0,
    anthropic: { apiKey: "bench", baseUrl: "http://127.0.0.1:9" },
  };
  const [intakeProcess] = serviceProcesses({ ...wiring, workers: {}, extra: { LOG_LEVEL: "warn" } }).filter(
    ({ name }) => name === "intake",
  );
  if (intakeProcess === undefined) throw new Error("there is no intake");
  const running = await startService(intakeProcess, folder);
  stack.defer(() => stopServices([running]));
  return { pid: running.child.pid, port: running.port };
}

function rssOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}

async function setClock(atMs: number): Promise<void> {
  await pool.query({
    text: "UPDATE customer_account SET clock_offset = to_timestamp($2::float8 / 1000) - clock_timestamp() WHERE customer_id = $1",
    values: [CUSTOMER, atMs],
  });
}

/** A server of its own, for this run. */
async function ownDatabase(): Promise<string> {
  const postgres = await startPostgres({
    folder: path.join(folder, "postgres"),
    logFile: path.join(folder, "postgres.log"),
    keep: "scratch",
    settings: { shared_buffers: "1GB", max_wal_size: "8GB" },
  });
  stack.defer(() => postgres.stop());
  await postgres.ensureDatabase("statements");
  return postgres.url("statements");
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const result = await work();
  print(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(2)} s`);
  return result;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
