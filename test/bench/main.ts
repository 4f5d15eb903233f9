/**
 * `npm run bench`: the whole system on Redis, the whole system on the embedded default, and the bare transport, taking
 * turns in one run, because this machine's speed at another time is another machine's.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { startPostgres } from "@contingent/embedded/postgres";
import { findRedis, startRedis } from "@contingent/testkit/redis";
import { startSimulatorProcess, stopServices } from "@contingent/embedded/system";
import { bareTransport } from "./bare/bare.ts";
import type { Contender } from "./contender.ts";
import { quantile, seeded, steadyStream, throughput } from "./load.ts";
import { benchOptions, type BenchOptions } from "./options.ts";
import { ANSWER } from "./workload.ts";
import { wholeSystem } from "./whole.ts";

const SEED = 20_261_123;
const WARM_UP_JOBS = 100;
/** Latency is measured at this share of the throughput. */
const LOAD = 0.5;

const UNGUARDED = "without RLS and limits";

interface Figures {
  readonly jobsPerSecond: number[];
  /** Per job. */
  readonly cpuMs: number[];
  statementsPerJob: number | null;
  addedMs: readonly number[];
}

const options = benchOptions(process.argv.slice(2));
await using stack = new AsyncDisposableStack();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-bench-"));
fs.chmodSync(folder, 0o755);
stack.defer(() => fs.rmSync(folder, { recursive: true, force: true }));

print(machine());
const contenders = await startContenders(stack, options, folder);
const figures = new Map<Contender, Figures>();
for (const contender of contenders) {
  await throughput(contender, WARM_UP_JOBS, options.inFlight);
  figures.set(contender, { jobsPerSecond: [], cpuMs: [], statementsPerJob: null, addedMs: [] });
}
for (let round = 1; round <= options.rounds; round += 1) {
  for (const contender of contenders) {
    const run = await throughput(contender, options.jobs, options.inFlight);
    print(`round ${round}: ${contender.name.padEnd(28)} ${run.jobsPerSecond.toFixed(0).padStart(6)} jobs/s`);
    const known = figures.get(contender);
    known?.jobsPerSecond.push(run.jobsPerSecond);
    if (run.cpuMsPerJob !== null) known?.cpuMs.push(run.cpuMsPerJob);
    if (known !== undefined) known.statementsPerJob = run.statementsPerJob;
  }
}
for (const contender of contenders) {
  const known = figures.get(contender);
  if (known === undefined) continue;
  const rate = quantile(known.jobsPerSecond, 0.5) * LOAD;
  const samples = await steadyStream(contender, rate, options.latencySeconds, seeded(SEED));
  known.addedMs = samples.map(({ startMs, endMs }) => endMs - startMs);
}
report(contenders, figures);
if (options.guards) reportGuards(figures);

/** Starts servers and contenders; the stack ends them. */
async function startContenders(
  owner: AsyncDisposableStack,
  { redis: withRedis, guards }: BenchOptions,
  logFolder: string,
): Promise<readonly Contender[]> {
  const postgres = await startPostgres({
    folder: path.join(logFolder, "postgres"),
    logFile: path.join(logFolder, "postgres.log"),
    keep: "data",
    settings: { shared_preload_libraries: "pg_stat_statements" },
  });
  owner.defer(() => postgres.stop());
  const source = withRedis ? findRedis() : null;
  if (source === null) print("!!! without Redis: its contenders are left out");
  const redis = source === null ? null : await startRedis(source);
  if (redis !== null) owner.defer(() => redis.stop());
  const simulator = await startSimulatorProcess(logFolder, { LATENCY_MS: "0" });
  owner.defer(() => stopServices([simulator]));
  const simulatorUrl = `http://127.0.0.1:${simulator.port}`;
  await answerAlways(simulatorUrl);

  const database = async (name: string): Promise<string> => {
    await postgres.ensureDatabase(name);
    return postgres.url(name);
  };
  const whole = async (name: string, databaseUrl: string, queueUrl: string, isGuarded = true): Promise<Contender> =>
    owner.use(await wholeSystem({ name, databaseUrl, queueUrl, simulatorUrl, logFolder, isGuarded }));
  const bare = async (name: string, queueUrl: string): Promise<Contender> =>
    owner.use(await bareTransport(name, queueUrl, simulatorUrl));

  if (guards) {
    const queueUrl = redis === null ? null : `${redis.url}/2`;
    const [guarded, unguarded] = [await database("guarded"), await database("unguarded")];
    return [
      await whole("whole system", guarded, queueUrl ?? guarded),
      await whole(UNGUARDED, unguarded, redis === null ? unguarded : `${redis.url}/3`, false),
    ];
  }
  const embedded = await database("whole_embedded");
  const contenders = [
    await bare("bare BullMQ on Postgres", await database("bare")),
    await whole("whole system, embedded", embedded, embedded),
  ];
  if (redis === null) return contenders;
  return [
    await bare("bare BullMQ on Redis", `${redis.url}/1`),
    await whole("whole system, Redis", await database("whole_redis"), `${redis.url}/2`),
    ...contenders,
  ];
}

async function answerAlways(simulatorUrl: string): Promise<void> {
  const script = { match: "Nordlys Supply", steps: [{ step: "answer_json", json: ANSWER }], afterwards: "last" };
  const response = await fetch(`${simulatorUrl}/__simulator/scripts`, { method: "POST", body: JSON.stringify(script) });
  if (!response.ok) throw new Error(`the simulator refused the script: ${await response.text()}`);
}

function report(all: readonly Contender[], known: ReadonlyMap<Contender, Figures>): void {
  const bareOf = (transport: Contender["transport"]): readonly number[] => {
    const bare = all.find((contender) => contender.transport === transport);
    return (bare === undefined ? undefined : known.get(bare))?.jobsPerSecond ?? [];
  };
  print("");
  print(machine());
  print(
    `medians of ${options.rounds} rounds of ${options.jobs} jobs; ratios within a round: to the bare transport of the same`,
  );
  print(
    "kind, and to the one on Redis. Added latency: submission to closed at half load; the simulated model takes no time.",
  );
  print("");
  print(row("", "jobs/s", "ratio", "to Redis", "p50 ms", "p99 ms", "p99/p50", "SQL/job", "CPU ms"));
  for (const contender of all) {
    const figure = known.get(contender);
    if (figure === undefined) continue;
    const p50 = quantile(figure.addedMs, 0.5);
    const p99 = quantile(figure.addedMs, 0.99);
    const cells = [
      quantile(figure.jobsPerSecond, 0.5).toFixed(0),
      ratioOf(figure.jobsPerSecond, bareOf(contender.transport)),
      ratioOf(figure.jobsPerSecond, bareOf("redis")),
      p50.toFixed(1),
      p99.toFixed(1),
      (p99 / p50).toFixed(1),
      figure.statementsPerJob === null ? "-" : figure.statementsPerJob.toFixed(2),
      figure.cpuMs.length === 0 ? "-" : quantile(figure.cpuMs, 0.5).toFixed(1),
    ];
    print(row(contender.name, ...cells));
  }
}

/** What row-level security and limits leave of the throughput. */
function reportGuards(known: ReadonlyMap<Contender, Figures>): void {
  const [guarded, unguarded] = known.values();
  if (guarded === undefined || unguarded === undefined) return;
  print(`with RLS and limits, of the jobs/s without: ${ratioOf(guarded.jobsPerSecond, unguarded.jobsPerSecond)}`);
  print(`without RLS and limits, of the processor time with: ${ratioOf(unguarded.cpuMs, guarded.cpuMs)}`);
}

/** The median over the rounds of the ratio within each. */
function ratioOf(measured: readonly number[], baseline: readonly number[]): string {
  if (baseline.length === 0) return "-";
  const ratios = measured.map((jobsPerSecond, round) => jobsPerSecond / (baseline[round] ?? Number.NaN));
  return quantile(ratios, 0.5).toFixed(2);
}

function row(name: string, ...cells: readonly string[]): string {
  return name.padEnd(28) + cells.map((cell) => cell.padStart(10)).join("");
}

function machine(): string {
  const [cpu] = os.cpus();
  const memory = `${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return `machine: ${os.cpus().length} × ${cpu?.model ?? "unknown"}, ${memory}, ${os.platform()} ${os.release()}, Node ${process.versions.node}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
