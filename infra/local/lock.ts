/** Two starts on one data folder would run two databases on the same files: the second one is refused. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { Problem } from "@contingent/embedded/problem";

/** What a running start command says about itself, for other commands. Holds a password: readable by its owner alone. */
export interface LockRecord {
  readonly pid: number;
  /** Null until the database is up. */
  readonly databaseUrl: string | null;
}

export interface Lock {
  /** Tells other commands where the database is. */
  announce(databaseUrl: string): void;
  release(): void;
}

const START_FILE = "infra/local/start.ts";

/**
 * Takes the folder's lock; one that a killed start left behind is taken over.
 * @throws Problem when another start is alive on the folder
 */
export function takeLock(dataFolder: string, say: (line: string) => void): Lock {
  const file = lockFile(dataFolder);
  try {
    fs.mkdirSync(dataFolder, { recursive: true });
  } catch (cause) {
    throw new Problem(`${dataFolder} cannot be made: choose another folder with --data.`, { cause });
  }
  for (;;) {
    if (create(file)) break;
    const holder = readLock(dataFolder);
    if (holder !== null) {
      throw new Problem(
        `Contingent runs on ${dataFolder} already (process ${holder.pid}): stop that one, or choose another folder with --data.`,
      );
    }
    say("an earlier run was killed; taking over what it left");
    fs.rmSync(file, { force: true });
  }
  return {
    announce(databaseUrl) {
      write(file, { pid: process.pid, databaseUrl }, "w");
    },
    release() {
      fs.rmSync(file, { force: true });
    },
  };
}

/** The record of the start command that is alive on this folder, or null. */
export function readLock(dataFolder: string): LockRecord | null {
  try {
    const record: unknown = JSON.parse(fs.readFileSync(lockFile(dataFolder), "utf8"));
    return isRecord(record) && isStart(record.pid) ? record : null;
  } catch {
    return null;
  }
}

function lockFile(dataFolder: string): string {
  return path.join(dataFolder, "lock");
}

function create(file: string): boolean {
  try {
    write(file, { pid: process.pid, databaseUrl: null }, "wx");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      if (error.code === "EEXIST") return false;
      if (error.code === "EACCES" || error.code === "EROFS") {
        throw new Problem(
          `${path.dirname(file)} cannot be written (was it made as root?): run as its owner, or choose another folder with --data.`,
        );
      }
    }
    throw error;
  }
}

function write(file: string, record: LockRecord, flag: "w" | "wx"): void {
  fs.writeFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600, flag });
}

function isRecord(value: unknown): value is LockRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    "databaseUrl" in value &&
    Number.isInteger(value.pid)
  );
}

/** Pids are used again: only a process that runs the start command holds a lock. */
function isStart(pid: number): boolean {
  if (pid === process.pid) return false;
  const ps = spawnSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  if (ps.error === undefined) return ps.stdout.includes(START_FILE);
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(START_FILE);
  } catch {
    return false;
  }
}
