/** What a process uses, as Linux says it. Other systems do not say it to others without a program in between. */
import { readFileSync } from "node:fs";

export interface Usage {
  readonly rssBytes: number;
  /** Processor time since it began, of all its threads. */
  readonly cpuMs: number;
}

/** Linux counts processor time for programs in hundredths of a second, on every machine. */
const TICK_MS = 10;
/** Of the fields behind the name in parentheses, which are those from the third on. */
const USER_TICKS = 14 - 3;
const SYSTEM_TICKS = 15 - 3;

/** Null where it cannot be read: not on Linux, or the process is gone. */
export function usageOf(pid: number): Usage | null {
  try {
    // The name may hold spaces and parentheses; what follows the last one is numbers.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // Not from statm, which counts in pages whose size is another one on some machines.
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    if (rss === null) return null;
    const ticks = Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
    return { rssBytes: Number(rss[1]) * 1024, cpuMs: ticks * TICK_MS };
  } catch {
    return null;
  }
}

/** Whether limits of memory and processor time can be watched here. */
export function usageIsKnown(): boolean {
  return usageOf(process.pid) !== null;
}
