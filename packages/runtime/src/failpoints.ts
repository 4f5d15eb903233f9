/**
 * Named places where a test can stop, break or kill a process, to hold a race open or to die in a commit window:
 *
 *     FAILPOINTS="worker.answered=exit;worker.claimed=pause:/tmp/go;validator.judged@2=throw"
 *
 * `exit` kills the process as `kill -9` would; `pause:<file>` waits until the file exists; `block:<file>` does so without
 * letting anything else of the process run, as a computation would; `throw` throws. `@n` means the n-th time only. Before it acts, a failpoint writes a log line `{"msg":"failpoint","failpoint":…}`, on which tests wait.
 *
 * `FAILPOINTS="@/tmp/points"` reads them from a file whenever a marked place is passed, so that a process can be armed and
 * disarmed while it runs. Counting begins anew when the file's text changes; a file that is not there arms nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "./config.ts";
import { ServiceError } from "./errors.ts";
import type { Log } from "./log.ts";

export type FailpointName = `${"intake" | "worker" | "validator" | "ledger" | "queue" | "db"}.${string}`;

type Action =
  | { readonly kind: "exit" }
  | { readonly kind: "throw" }
  | { readonly kind: "pause" | "block"; readonly file: string };

interface Failpoint {
  readonly action: Action;
  /** Acts only the n-th time; null: every time. */
  readonly nth: number | null;
  hits: number;
}

const PAUSE_POLL_MS = 5;
const NEVER_WOKEN = new Int32Array(new SharedArrayBuffer(4));
const SYNTAX =
  /^(?<name>[a-z]+\.[a-z_.]+)(?:@(?<nth>[1-9]\d{0,5}))?=(?<action>exit|throw|(?<wait>pause|block):(?<file>.+))$/;

export class FailpointError extends Error {
  override readonly name = "FailpointError";
  readonly loggable = true;
}

type Failpoints = ReadonlyMap<string, Failpoint>;

/** What is armed now; null: nothing is, and nothing will be. */
let armed: (() => Failpoints) | null = null;
let report: (name: string, action: string) => void = () => undefined;

/**
 * Marks a place. With no failpoint armed it costs a comparison: `await failpoint("worker.answered")`.
 * @throws FailpointError when this one is armed with `throw`
 */
export function failpoint(name: FailpointName): Promise<void> | undefined {
  return armed === null ? undefined : trigger(armed(), name);
}

/**
 * Arms what the variable names.
 * @throws ServiceError `config_invalid` when it cannot be read, or in production.
 */
export function armFailpoints(env: Environment, log: Log): void {
  const text = env["FAILPOINTS"] ?? "";
  if (text === "") {
    armed = null;
    return;
  }
  const says = ["NODE_ENV", "CONTINGENT_ENV"].find((name) => env[name] === "production");
  if (says !== undefined)
    throw new ServiceError(
      "config_invalid",
      `FAILPOINTS must not be set where ${says} is production: unset one of them`,
    );
  armed = text.startsWith("@") ? failpointsOfFile(text.slice(1)) : always(parseFailpoints(text));
  report = (name, action) => {
    log.warn({ failpoint: name, action }, "failpoint");
  };
}

function always(points: Failpoints): () => Failpoints {
  return () => points;
}

function failpointsOfFile(file: string): () => Failpoints {
  let read = "";
  let points: Failpoints = new Map();
  return () => {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (text !== read) points = parseFailpoints(text);
    read = text;
    return points;
  };
}

export function parseFailpoints(text: string): Map<string, Failpoint> {
  const points = new Map<string, Failpoint>();
  for (const part of text.split(";").filter((entry) => entry.trim() !== "")) {
    const groups = SYNTAX.exec(part.trim())?.groups;
    const name = groups?.["name"];
    if (groups === undefined || name === undefined) {
      throw new ServiceError(
        "config_invalid",
        `FAILPOINTS has "${part}": write name=exit, name=throw, name=pause:/file or name=block:/file, and name@2=… for the second time only`,
      );
    }
    const file = groups["file"];
    const kind = groups["action"] === "throw" ? "throw" : "exit";
    const wait = groups["wait"] === "block" ? "block" : "pause";
    const action: Action = file === undefined ? { kind } : { kind: wait, file };
    points.set(name, { action, nth: groups["nth"] === undefined ? null : Number(groups["nth"]), hits: 0 });
  }
  return points;
}

async function trigger(points: Failpoints, name: FailpointName): Promise<void> {
  const point = points.get(name);
  if (point === undefined) return;
  point.hits += 1;
  if (point.nth !== null && point.nth !== point.hits) return;
  const { action } = point;
  report(name, action.kind);
  switch (action.kind) {
    case "exit":
      process.kill(process.pid, "SIGKILL");
      // The signal is on its way; nothing after this line may run.
      await new Promise<never>(() => undefined);
      return;
    case "throw":
      throw new FailpointError(`failpoint ${name}`);
    case "pause":
      while (!existsSync(action.file)) await delay(PAUSE_POLL_MS);
      return;
    case "block":
      while (!existsSync(action.file)) Atomics.wait(NEVER_WOKEN, 0, 0, PAUSE_POLL_MS);
      return;
  }
}
