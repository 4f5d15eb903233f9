/** Ways to break a system's processes at a chosen point. */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { RunningProcess } from "@contingent/embedded/system";
import type { FailpointName } from "@contingent/runtime/failpoints";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect } from "vitest";

export const FAST_WORKERS = ["worker-fast-1", "worker-fast-2"];

/** The process of this name that runs now. */
export function processOf(system: System, name: string): RunningProcess {
  const found = system.processes().find((running) => running.name === name);
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

/** The name under which the process holds jobs. */
export function instanceOf(system: System, name: string): string {
  const line = /"instance":"([^"]+)"/.exec(system.log(name).split("\n").at(0) ?? "");
  const instance = line?.[1];
  if (instance === undefined || !instance.includes(`-${processOf(system, name).child.pid}-`)) {
    throw new Error(`${name} has not said how it is called`);
  }
  return instance;
}

/** The process dies as by kill -9 when it next gets to this point. */
export function armToDie(system: System, name: string, point: FailpointName): void {
  system.arm(name, `${point}=exit`);
}

/** Waits until an armed process has died at its point. It is disarmed then, and can be started again. */
export async function untilDead(system: System, name: string): Promise<void> {
  await until(() => !isRunning(system, name), { intervalMs: 10, what: `${name} to die at its failpoint` });
  expect(system.log(name), `the end of ${name}`).toContain('"msg":"failpoint"');
  system.arm(name, "");
}

export async function untilDeadThenRestart(system: System, name: string): Promise<void> {
  await untilDead(system, name);
  await system.restart(name);
}

export function isRunning(system: System, name: string): boolean {
  return system.processes().some((running) => running.name === name);
}

/** kill -9 of every process at once. */
export async function killAll(system: System): Promise<void> {
  await Promise.all(system.processes().map(({ name }) => system.kill(name)));
}

/** Starts all that have died again. */
export async function restartTheDead(system: System): Promise<void> {
  const dead = system.names().filter((name) => !isRunning(system, name));
  for (const name of dead) system.arm(name, "");
  await Promise.all(dead.map((name) => system.restart(name)));
}

/** Processes that stand still at a point of theirs until they are told to go on. */
export interface Pause {
  /** Waits until one of them has got there; returns its name. */
  reached(): Promise<string>;
  goOn(): void;
}

/**
 * Whoever of these processes gets to the point waits there.
 * @param how `block`: without letting anything else of the process run
 */
export function pauseAt(
  system: System,
  names: readonly string[],
  point: FailpointName,
  how: "pause" | "block" = "pause",
): Pause {
  const go = path.join(os.tmpdir(), `contingent-go-${randomUUID()}`);
  const pausesOf = (name: string): number =>
    system.log(name).split(`"failpoint":"${point}","action":"${how}"`).length - 1;
  const before = new Map(names.map((name) => [name, pausesOf(name)]));
  for (const name of names) system.arm(name, `${point}=${how}:${go}`);
  return {
    reached: () =>
      until(() => names.find((name) => pausesOf(name) > (before.get(name) ?? 0)), {
        intervalMs: 10,
        what: `one of ${names.join(", ")} to reach ${point}`,
      }),
    goOn() {
      for (const name of names) system.arm(name, "");
      // Left there for those who are still to look; the folder is temporary.
      fs.writeFileSync(go, "");
    },
  };
}

/** Tells a process to stop, as a deployment does, and waits until it has. It must end by itself, and say that all is well. */
export async function stopOrderly(system: System, name: string): Promise<void> {
  const { child } = processOf(system, name);
  child.send("SIGTERM");
  expect(await child.exited, `how ${name} ended`).toEqual({ code: 0, signal: null });
}
