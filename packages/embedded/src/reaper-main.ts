/** The reaper's process: see reaper.ts. Reads one order per line until its input ends, and then acts. */
import fs from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import type { ReaperOrder, Stage } from "./reaper.ts";

const GRACE_MS = 5_000;
const POLL_MS = 50;

const adopted = new Map<number, { stage: Stage; signal: NodeJS.Signals }>();
const folders = new Set<string>();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  // The other end of the pipe is reaper.ts, which writes nothing else.
  const order = JSON.parse(line) as ReaperOrder;
  switch (order.do) {
    case "adopt":
      adopted.set(order.pid, order);
      break;
    case "release":
      adopted.delete(order.pid);
      break;
    case "remove":
      folders.add(order.folder);
      break;
  }
}
await stop("service");
await stop("backing");
for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });

async function stop(stage: Stage): Promise<void> {
  const doomed = [...adopted].filter(([, child]) => child.stage === stage);
  for (const [pid, child] of doomed) send(pid, child.signal);
  const giveUpAtMs = Date.now() + GRACE_MS;
  while (doomed.some(([pid]) => isRunning(pid)) && Date.now() < giveUpAtMs) await pause(POLL_MS);
  // The whole group, because a service may have children of its own.
  for (const [pid] of doomed) send(-pid, "SIGKILL");
}

/** An orphan that has ended still has its pid where the first process of a container reaps nobody: that is not running. */
function isRunning(pid: number): boolean {
  if (!send(pid, 0)) return false;
  try {
    return !fs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return true;
  }
}

/** Whether there was a process to send it to. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
