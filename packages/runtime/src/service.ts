/**
 * The life of a process. A service's main.ts is a list of parts on an `AsyncDisposableStack`:
 *
 *     await runService("worker", async (stack, service) => {
 *       const config = readConfig(workerSettings, service.env);
 *       const queues = await openQueues(config.QUEUE_URL, { log: service.log });
 *       stack.defer(() => queues.close());
 *       …
 *       const server = stack.use(await startHealthServer(service.health, config.HOST, config.PORT));
 *       service.listening(server.port);
 *     });
 *
 * The function returns once everything runs. At SIGTERM or SIGINT the stack is disposed of in reverse order, within a bound.
 *
 * Exit codes: 0 drained · 1 drain took too long · 70 a defect · 75 something needed is away · 78 refused to start as configured.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Environment } from "./config.ts";
import { armFailpoints } from "./failpoints.ts";
import { Health } from "./health.ts";
import { createLog, describeError, type Log, LOG_LEVELS, type LogLevel } from "./log.ts";
import { watchParent } from "./parent.ts";
import { startTelemetry } from "./telemetry.ts";

export interface Service {
  readonly name: string;
  /** Unique per process: which worker holds a lease, which instance sent a span. */
  readonly instance: string;
  readonly log: Log;
  readonly env: Environment;
  readonly health: Health;
  /** Aborted when the drain begins. */
  readonly stopping: AbortSignal;
  /** Writes the line on which the start command and tests wait. */
  listening(port: number): void;
}

export type ServiceMain = (stack: AsyncDisposableStack, service: Service) => Promise<void>;

/** Longest drain. Below the 30 s after which container platforms kill. */
const DRAIN_TIMEOUT_MS = 25_000;
/** With the parent gone, nobody is left who could wish for more. */
const ORPHAN_DRAIN_TIMEOUT_MS = 5_000;

const EXIT_DRAIN_TIMEOUT = 1;
const EXIT_DEFECT = 70;
const EXIT_UNAVAILABLE = 75;

/** Runs a service until it is told to stop, and ends the process. */
export async function runService(name: string, main: ServiceMain): Promise<never> {
  const env = process.env;
  const instance = `${name}-${hostname()}-${process.pid}-${randomBytes(3).toString("hex")}`;
  const log = createLog({ service: name, instance, level: levelFrom(env) });
  const stop = new AbortController();
  let drainTimeoutMs = DRAIN_TIMEOUT_MS;
  const requestStop = (reason: string): void => {
    if (stop.signal.aborted) return;
    log.info({ reason }, "draining");
    stop.abort();
  };

  // Repeated signals change nothing: Ctrl-C reaches the process twice, from the terminal and from the start command.
  process.on("SIGTERM", () => requestStop("SIGTERM"));
  process.on("SIGINT", () => requestStop("SIGINT"));
  process.on("uncaughtException", (error) => die(log, error));
  process.on("unhandledRejection", (error) => die(log, error));
  watchParent(env, () => {
    drainTimeoutMs = ORPHAN_DRAIN_TIMEOUT_MS;
    requestStop("parent is gone");
  });

  const stack = new AsyncDisposableStack();
  const service: Service = {
    name,
    instance,
    log,
    env,
    health: new Health(name, stop.signal),
    stopping: stop.signal,
    listening(port) {
      // Whoever started the process waits for this line, whatever the level is.
      log.child({}, { level: "info" }).info({ port }, "listening");
    },
  };

  let exitCode = 0;
  try {
    armFailpoints(env, log);
    const telemetry = await startTelemetry({ serviceName: name, instanceId: instance, log, env });
    stack.defer(() => telemetry.shutdown());
    const stopped = aborted(stop.signal);
    await Promise.race([main(stack, service), stopped]);
    await stopped;
  } catch (error) {
    exitCode = reportFatal(log, error);
  }
  if (!(await drain(stack, log, drainTimeoutMs))) exitCode ||= EXIT_DRAIN_TIMEOUT;
  process.exit(exitCode);
}

function levelFrom(env: Environment): LogLevel {
  return LOG_LEVELS.find((level) => level === env["LOG_LEVEL"]) ?? "info";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** @returns whether everything was closed in time */
async function drain(stack: AsyncDisposableStack, log: Log, timeoutMs: number): Promise<boolean> {
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const disposed = stack.disposeAsync().then(
    () => true,
    (error: unknown) => {
      log.error({ err: error }, "closing failed");
      return true;
    },
  );
  const inTime = await Promise.race([disposed, expired]);
  clearTimeout(timer);
  const durationMs = Math.round(performance.now() - startedMs);
  if (inTime) log.info({ durationMs }, "stopped");
  else log.error({ durationMs }, "drain took too long: what was not finished is taken up again by others");
  return inTime;
}

/** Says what to do, one line per problem. @returns the exit code */
function reportFatal(log: Log, error: unknown): number {
  const { message = "the service cannot run", type } = describeError(error);
  // An error that knows its exit code was foreseen: its text is enough, and frames would only hide it.
  if (error instanceof Error && "exitCode" in error && typeof error.exitCode === "number") {
    for (const line of message.split("\n")) log.fatal({ error: type }, line);
    return error.exitCode;
  }
  log.fatal({ err: error }, message);
  return error instanceof Error && "syscall" in error ? EXIT_UNAVAILABLE : EXIT_DEFECT;
}

/** A defect that nothing caught. The state is in the database and others take over, so the process does not go on. */
function die(log: Log, error: unknown): never {
  log.fatal({ err: error }, "unexpected error");
  process.exit(EXIT_DEFECT);
}
