/**
 * What outlives us must be told to stop. A killed process stops nothing, so a small second process, the reaper, waits at
 * the end of a pipe: when the pipe closes, for whatever reason, it stops what it was told about, services first and
 * what backs them after that, and removes temporary folders. In the ordinary case everything was stopped and released before,
 * and it finds nothing to do.
 */
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";

/** Who is stopped before whom: what backs the services (database, Redis, simulator) when none needs it any more. */
export type Stage = "service" | "backing";

export type ReaperOrder =
  | { readonly do: "adopt"; readonly pid: number; readonly stage: Stage; readonly signal: NodeJS.Signals }
  | { readonly do: "release"; readonly pid: number }
  | { readonly do: "remove"; readonly folder: string };

export interface Reaper {
  tell(order: ReaperOrder): void;
  /** Sends it away, once everything was stopped, and waits until it is gone. */
  dismiss(): Promise<void>;
}

let started: Reaper | null = null;

/** This process's reaper; started when it is first needed. */
export function reaper(): Reaper {
  started ??= start();
  return started;
}

function start(): Reaper {
  const main = fileURLToPath(new URL("./reaper-main.ts", import.meta.url));
  // A group of its own: Ctrl-C at the terminal is for the process that was started there, which orders the shutdown.
  const child = spawn(process.execPath, [main], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  const pipe = child.stdin;
  // To a child process the pipe is a socket, whose open end must not keep us running either.
  if (pipe instanceof Socket) pipe.unref();
  // A reaper that died takes the safety net with it, not the system.
  child.on("error", () => undefined);
  pipe.on("error", () => undefined);
  return {
    tell(order) {
      pipe.write(`${JSON.stringify(order)}\n`);
    },
    async dismiss() {
      started = null;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.ref();
      pipe.end();
      if (child.exitCode === null && child.signalCode === null) await gone;
    },
  };
}
