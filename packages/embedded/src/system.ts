/** Starts the services as child processes, waits until they are ready, and stops them together. */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { startChild, tailOf, type Child, type ChildSpec } from "./children.ts";
import { Problem } from "./problem.ts";
import { childEnvironment, MIGRATE_ENTRY, ROOT, SIMULATOR_ENTRY, type ServiceProcess } from "./services.ts";
import type { Stage } from "./reaper.ts";
import { endingOf } from "./supervisor.ts";
import { until } from "./wait.ts";

const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 3_000;
const LOG_LINES_SHOWN = 12;
/** A little more than the longest drain that a service allows itself. */
export const STOP_GRACE_MS = 27_000;

export type LaunchOptions = Pick<ChildSpec, "keepsLog">;

export interface RunningProcess {
  readonly name: string;
  readonly port: number;
  readonly child: Child;
}

/** What services are given, where they do not log in as the database's owner. */
export interface ServiceUrls {
  readonly databaseUrl: string;
  readonly queueUrl: string;
}

/** Brings the database to the present schema, as a process of its own, as a deployment does; and makes the services' login. */
export async function migrateDatabase(databaseUrl: string, forServices?: ServiceUrls): Promise<void> {
  const login =
    forServices === undefined ? {} : { SERVICE_DATABASE_URL: forServices.databaseUrl, QUEUE_URL: forServices.queueUrl };
  const child = spawn(process.execPath, [path.join(ROOT, MIGRATE_ENTRY)], {
    env: childEnvironment({ DATABASE_URL: databaseUrl, ...login }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Problem(`The database could not be migrated: ${output.trim()}`);
}

/** Starts the simulator of the model API; further variables (SEED, LATENCY_MS) win over its defaults. */
export async function startSimulatorProcess(
  logFolder: string,
  further: Readonly<Record<string, string>> = {},
  options: LaunchOptions = {},
): Promise<RunningProcess> {
  const variables = { PORT: "0", HOST: "127.0.0.1", ...further };
  const process_ = { name: "simulator", entry: SIMULATOR_ENTRY, variables };
  return await listening(await launch(process_, logFolder, options, "backing"));
}

/**
 * Starts services and waits until every one says that it is ready.
 * @throws Problem with the end of its log when one of them ends instead.
 */
export async function startServices(
  processes: readonly ServiceProcess[],
  logFolder: string,
  options: LaunchOptions = {},
): Promise<readonly RunningProcess[]> {
  const children = await Promise.all(processes.map((process_) => launch(process_, logFolder, options)));
  try {
    return await Promise.all(
      children.map(async (child) => {
        const running = await listening(child);
        await ready(running);
        return running;
      }),
    );
  } catch (error) {
    await Promise.all(children.map((child) => child.stop(STOP_GRACE_MS)));
    throw error;
  }
}

/** Starts one more process, or one that was killed, and waits until it is ready. */
export async function startService(
  process_: ServiceProcess,
  logFolder: string,
  options: LaunchOptions = {},
): Promise<RunningProcess> {
  const [running] = await startServices([process_], logFolder, options);
  if (running === undefined) throw new Error("nothing was started");
  return running;
}

/** Asks all of them to finish what they are doing, and waits for it. */
export async function stopServices(running: readonly RunningProcess[], graceMs = STOP_GRACE_MS): Promise<void> {
  await Promise.all(running.map(({ child }) => child.stop(graceMs)));
}

async function launch(
  process_: ServiceProcess,
  logFolder: string,
  { keepsLog }: LaunchOptions,
  stage: Stage = "service",
): Promise<Child> {
  return await startChild({
    name: process_.name,
    command: process.execPath,
    args: [path.join(ROOT, process_.entry)],
    env: childEnvironment(process_.variables),
    cwd: ROOT,
    logFile: path.join(logFolder, `${process_.name}.log`),
    keepsLog,
    stage,
    stopSignal: "SIGTERM",
  });
}

async function listening(child: Child): Promise<RunningProcess> {
  const port = await untilAlive(child, "listen", () => portIn(child));
  return { name: child.name, port, child };
}

async function ready({ child, port }: RunningProcess): Promise<void> {
  await untilAlive(child, "be ready", async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  });
}

/** Waits until a process does what it is to do. @throws Problem when it ends instead, or takes too long */
async function untilAlive<T>(
  child: Child,
  what: string,
  condition: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const alive = (): T | Promise<T> => {
    if (child.exit !== null) throw problemOf(endingOf(child.name, child.exit), child);
    return condition();
  };
  try {
    return await until(alive, { timeoutMs: READY_TIMEOUT_MS, stopOn: (error) => error instanceof Problem });
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw problemOf(`${child.name} did not come to ${what} within ${READY_TIMEOUT_MS / 1_000} s`, child);
  }
}

/** One sentence, and the end of the log, which says why. */
function problemOf(sentence: string, { logFile }: Child): Problem {
  return new Problem(`${sentence}. The end of ${logFile}:\n${readable(tailOf(logFile, LOG_LINES_SHOWN))}`);
}

/** The port that a process's log says it listens on; null as long as it does not. */
function portIn(child: Child): number | null {
  const lines = fs.readFileSync(child.logFile).subarray(child.logStart).toString().split("\n");
  for (const line of lines) {
    const found = /"listening"/.test(line) ? /"(?:port|listening)":(\d+)/.exec(line) : null;
    if (found?.[1] !== undefined) return Number(found[1]);
  }
  return null;
}

/** Log lines are JSON for machines; a person wants the words. */
function readable(log: string): string {
  return log
    .split("\n")
    .map((line) => {
      try {
        const entry: unknown = JSON.parse(line);
        if (typeof entry === "object" && entry !== null && "msg" in entry) return `  ${describe(entry)}`;
      } catch {
        // Not JSON: shown as it is.
      }
      return `  ${line}`;
    })
    .join("\n");
}

/** Of an error its name, code and message; its frames are in the log, for whoever looks there. */
function describe(entry: { readonly msg: unknown; readonly err?: unknown }): string {
  const { msg, err } = entry;
  if (typeof err !== "object" || err === null) return String(msg);
  const said = ["type", "code", "message"].map((part): unknown => Reflect.get(err, part));
  return [msg, ...said.filter((part) => part !== undefined && part !== msg)].map(String).join(" · ");
}
