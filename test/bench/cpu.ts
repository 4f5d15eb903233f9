/**
 * Processor time of everything that this process has started: servers, services, the simulator. On a machine that others
 * use too, it says more than the clock. Linux only.
 */
import fs from "node:fs";

/** The kernel counts in these. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly parent: number;
  readonly ticks: number;
}

/** Seconds so far; null where there is no /proc. */
export function cpuSecondsOfChildren(): number | null {
  if (!fs.existsSync("/proc/self/stat")) return null;
  const all = new Map(
    fs.readdirSync("/proc").flatMap((name): [number, Stat][] => {
      const stat = /^\d+$/.test(name) ? statOf(name) : null;
      return stat === null ? [] : [[Number(name), stat]];
    }),
  );
  const isOurs = (pid: number): boolean => {
    const parent = all.get(pid)?.parent;
    return parent === process.pid || (parent !== undefined && parent > 1 && isOurs(parent));
  };
  const ticks = [...all].reduce((sum, [pid, stat]) => sum + (isOurs(pid) ? stat.ticks : 0), 0);
  return ticks / TICKS_PER_SECOND;
}

/** Null: it has ended in this moment. */
function statOf(pid: string): Stat | null {
  let text: string;
  try {
    text = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name in parentheses may hold anything; after it come state, parent and so on: times are the 14th to 17th field.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), ticks };
}
