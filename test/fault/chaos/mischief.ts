/** What chaos does to a world while orders come in. Each leaves everything in order again: what it broke is back when it returns. */
import { setTimeout as delay } from "node:timers/promises";
import type { FailpointName } from "@contingent/runtime/failpoints";
import { until } from "@contingent/testkit/until";
import { loseAllMessages } from "../../e2e/support/queues.ts";
import { isRunning, processOf, restartTheDead } from "../harness/processes.ts";
import { linksOf, type World } from "../harness/world.ts";

export interface Mischief {
  readonly name: string;
  /** @param chance of this one time, from 0 to below 1 */
  readonly act: (world: World, chance: (word: string) => number) => Promise<void>;
  /** Whether there is anything to do it to. */
  readonly isPossible?: (world: World) => boolean;
}

const WORKERS = ["worker-fast-1", "worker-fast-2", "worker-standard-1"];
const OTHERS = ["validator", "ledger", "intake"];
const WINDOWS: readonly FailpointName[] = ["worker.taken", "worker.claimed", "worker.answered", "worker.committed"];
/** Until somebody gets to a window, it may take so long: nobody does where there is nothing to do. */
const WINDOW_TIMEOUT_MS = 5_000;
const AWAY_MS = 1_500;
/** Longer than a message's lock, so that another worker gets it. */
const FROZEN_MS = 12_000;

export const MISCHIEF: readonly Mischief[] = [
  {
    name: "F1 kill -9 of a worker",
    act: (world, chance) => killed(world, [pick(WORKERS, chance("who"))]),
  },
  { name: "F1 kill -9 in a commit window", act: killedInWindow },
  {
    name: "F3 kill -9 of another service",
    act: (world, chance) => killed(world, [pick(OTHERS, chance("who"))]),
  },
  { name: "F4 kill -9 of everything", act: (world) => killed(world, world.system.names()) },
  { name: "F5 all messages lost", act: ({ system }) => loseAllMessages(system) },
  {
    name: "F6 Redis killed",
    isPossible: ({ redis }) => redis !== null,
    async act({ redis }, chance) {
      await redis?.kill();
      await redis?.restart({ wiped: chance("wiped") < 0.5 });
    },
  },
  {
    name: "F8 Postgres stopped at once",
    async act({ postgres }) {
      await postgres.stopAtOnce();
      await postgres.start();
    },
  },
  {
    name: "F8 connections cut",
    async act(world) {
      for (const link of linksOf(world)) link.reset();
    },
  },
  { name: "F9 a worker frozen", act: frozen },
  { name: "F15 a link silent", act: silent },
];

/** All that are possible, in an order of chance. */
export function mischiefs(world: World, chance: (word: string) => number): readonly Mischief[] {
  const possible = MISCHIEF.filter(({ isPossible }) => isPossible?.(world) ?? true);
  return possible.toSorted((a, b) => chance(a.name) - chance(b.name));
}

async function killed({ system }: World, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => system.kill(name)));
  await restartTheDead(system);
}

async function killedInWindow({ system }: World, chance: (word: string) => number): Promise<void> {
  const name = pick(WORKERS, chance("who"));
  system.arm(name, `${pick(WINDOWS, chance("window"))}=exit`);
  const died = until(() => !isRunning(system, name), { timeoutMs: WINDOW_TIMEOUT_MS, what: "a death" });
  await died.catch(() => undefined);
  system.arm(name, "");
  await restartTheDead(system);
}

async function frozen({ system }: World, chance: (word: string) => number): Promise<void> {
  const { child } = processOf(system, pick(WORKERS, chance("who")));
  child.send("SIGSTOP");
  await delay(FROZEN_MS);
  child.send("SIGCONT");
}

async function silent(world: World, chance: (word: string) => number): Promise<void> {
  const link = pick(linksOf(world), chance("which"));
  if (chance("how") < 0.5) link.deafen();
  else link.blackHole();
  await delay(AWAY_MS);
  await link.restore();
}

function pick<T>(items: readonly T[], chance: number): T {
  const item = items[Math.floor(chance * items.length)];
  if (item === undefined) throw new RangeError("there is nothing to choose from");
  return item;
}
