/**
 * What an earlier run that was killed may have left on a data folder: its server still running, or only its pid file.
 * Postgres itself takes over a pid file whose process is gone; it refuses one whose pid now belongs to another process.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { until } from "./wait.ts";

const FAST_STOP_TIMEOUT_MS = 8_000;
/** Larger than any pid that Linux or macOS give out. */
const NOBODYS_PID = 99_999_999;

/**
 * Stops a server that still runs on this folder and disarms a pid file that names a process that is something else.
 * Only for a caller who knows that no other live start owns the folder (lock.ts).
 * @returns whether there was anything to repair.
 */
export async function stopLeftover(
  dataFolder: string,
  say: (line: string) => void = () => undefined,
): Promise<boolean> {
  const pidFile = path.join(dataFolder, "postmaster.pid");
  const pid = readPid(pidFile);
  if (pid === null) return false;
  if (!isPostgresOn(pid, dataFolder)) {
    if (!isAlive(pid)) return false;
    // Not removed: the file also names the shared memory, by which Postgres sees whether old backends still write.
    fs.writeFileSync(pidFile, fs.readFileSync(pidFile, "utf8").replace(/^\d+/, String(NOBODYS_PID)));
    say("repaired the pid file of a Postgres that an earlier run left behind");
    return true;
  }
  say(`stopping the Postgres (pid ${pid}) that an earlier run left behind`);
  process.kill(pid, "SIGINT");
  const gone = async (timeoutMs: number): Promise<boolean> =>
    await until(() => !isPostgresOn(pid, dataFolder), { timeoutMs, what: "the old Postgres to stop" }).catch(
      () => false,
    );
  if (!(await gone(FAST_STOP_TIMEOUT_MS))) {
    process.kill(pid, "SIGQUIT");
    await gone(FAST_STOP_TIMEOUT_MS);
  }
  return true;
}

function readPid(pidFile: string): number | null {
  try {
    const pid = Number(fs.readFileSync(pidFile, "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Pids are used again: only a process that says it serves this very folder is the leftover. */
function isPostgresOn(pid: number, dataFolder: string): boolean {
  const ps = spawnSync("ps", ["-ww", "-o", "stat=,args=", "-p", String(pid)], { encoding: "utf8" });
  // Where there is no ps (slim images), the kernel says the same.
  const described = ps.error === undefined ? ps.stdout : commandLineOf(pid);
  return described.includes("postgres") && described.includes(dataFolder) && !described.trimStart().startsWith("Z");
}

function commandLineOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
