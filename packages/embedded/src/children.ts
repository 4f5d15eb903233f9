/** Child processes that write their own log file, are stopped in an orderly way, and never outlive us (reaper.ts). */
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { reaper, type Stage } from "./reaper.ts";

/** A user and group to run as, where that is not our own. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Whether what the log holds is kept: of one that is started again, it says why. */
  readonly keepsLog?: boolean | undefined;
  readonly stage: Stage;
  /** What asks it to finish its work and leave. */
  readonly stopSignal: "SIGTERM" | "SIGINT";
  readonly identity?: Identity | null;
}

/** How a child ended: an exit code, or the signal that killed it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly stage: Stage;
  readonly pid: number;
  readonly logFile: string;
  /** Where in the log its own output begins. */
  readonly logStart: number;
  readonly exited: Promise<Exit>;
  /** Null while it runs. */
  readonly exit: Exit | null;
  send(signal: NodeJS.Signals): void;
  /** Asks it to leave and waits; kills it when the grace is over. Repeating it is harmless. */
  stop(graceMs: number): Promise<Exit>;
}

const live = new Set<Child>();
let stopping = false;

/**
 * Stops all children of this process: services first, and what backs them when none needs it any more. From now on none
 * is started.
 * @returns how many there were
 */
export async function stopAllChildren(graceMs: number): Promise<number> {
  stopping = true;
  const count = live.size;
  for (const stage of ["service", "backing"] as const) {
    await Promise.all([...live].filter((child) => child.stage === stage).map((child) => child.stop(graceMs)));
  }
  return count;
}

/** Kills all children of this process at once. */
export function killAllChildren(): void {
  for (const child of live) killGroup(child.pid);
}

/** Starts a child in a process group of its own, with its output in `logFile` (emptied first, unless it is kept). */
export async function startChild(spec: ChildSpec): Promise<Child> {
  fs.mkdirSync(path.dirname(spec.logFile), { recursive: true });
  const log = fs.openSync(spec.logFile, spec.keepsLog === true ? "a" : "w", 0o600);
  const logStart = fs.fstatSync(log).size;
  const process_ = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ["ignore", log, log],
    detached: true,
    ...(spec.identity ?? {}),
  });
  fs.closeSync(log);
  const pid = await new Promise<number>((resolve, reject) => {
    process_.once("error", (error) => reject(new Error(`${spec.name} could not be started`, { cause: error })));
    process_.once("spawn", () => resolve(process_.pid ?? 0));
  });
  const child = watch(spec, pid, logStart, process_);
  if (stopping) await child.stop(0);
  return child;
}

function watch(spec: ChildSpec, pid: number, logStart: number, started: ReturnType<typeof spawn>): Child {
  reaper().tell({ do: "adopt", pid, stage: spec.stage, signal: spec.stopSignal });
  let exit: Exit | null = null;
  const exited = new Promise<Exit>((resolve) => {
    started.once("exit", (code, signal) => {
      exit = { code, signal };
      reaper().tell({ do: "release", pid });
      live.delete(child);
      resolve(exit);
    });
  });
  const child: Child = {
    name: spec.name,
    stage: spec.stage,
    pid,
    logFile: spec.logFile,
    logStart,
    exited,
    get exit() {
      return exit;
    },
    send(signal) {
      if (exit === null) started.kill(signal);
    },
    async stop(graceMs) {
      if (exit !== null) return exit;
      started.kill(spec.stopSignal);
      const kill = setTimeout(() => killGroup(pid), graceMs);
      const how = await exited;
      clearTimeout(kill);
      // What it may have started itself goes with it.
      killGroup(pid);
      return how;
    },
  };
  live.add(child);
  return child;
}

/** Kills a child and whatever it started. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone already, which is all that was wanted.
  }
}

const TAIL_BYTES_MAX = 64 * 1024;

/** The last lines of a log, for a message about what went wrong. */
export function tailOf(file: string, lines: number): string {
  let handle: number;
  try {
    handle = fs.openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const size = fs.fstatSync(handle).size;
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES_MAX));
    fs.readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } finally {
    fs.closeSync(handle);
  }
}
