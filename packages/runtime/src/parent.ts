/** Dying with the process that started us, so that a start command that is killed leaves nothing behind. */
import type { Environment } from "./config.ts";

const POLL_MS = 500;

/**
 * Calls back once when the parent is gone. Two ways to know, both of which work when it was killed with SIGKILL: the IPC
 * channel (where there is one) is closed by the kernel; and a process whose parent died gets another parent, which is
 * compared with `CONTINGENT_PARENT_PID`. Without either the process is on its own, as in a container.
 */
export function watchParent(env: Environment, onGone: () => void): Disposable {
  if (process.channel !== undefined) process.once("disconnect", onGone);
  const parentPid = Number(env["CONTINGENT_PARENT_PID"] ?? "");
  if (!Number.isSafeInteger(parentPid) || parentPid <= 1) {
    return { [Symbol.dispose]: () => process.removeListener("disconnect", onGone) };
  }
  const gone =
    process.ppid === parentPid ? (): boolean => process.ppid !== parentPid : (): boolean => !exists(parentPid);
  const timer = setInterval(() => {
    if (!gone()) return;
    clearInterval(timer);
    onGone();
  }, POLL_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      process.removeListener("disconnect", onGone);
    },
  };
}

/** For a named process that is not our direct parent, because a shell stands between. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
