/** A mix of hazards under load, for as long as is wished; then everything is looked at. One seed decides what comes when. */
import { setTimeout as delay } from "node:timers/promises";
import type { BilledRecord, Simulator } from "@contingent/simulator/server";
import type { TransportName } from "@contingent/testkit/transports";
import { publish } from "../../e2e/support/cases.ts";
import { step } from "../../e2e/support/sums.ts";
import { audit, type Finding } from "../harness/audit.ts";
import { type Load, startLoad } from "../harness/load.ts";
import { stuckJobs } from "../harness/until-closed.ts";
import { startWorld, type World } from "../harness/world.ts";
import { mischiefs } from "./mischief.ts";
import { Probe } from "./probe.ts";

export interface ChaosOptions {
  readonly durationMs: number;
  /** Orders a second. What the system is not there for is asked for again, and what it does not keep up with waits. */
  readonly ratePerS: number;
  /** No order is made while so many are open: for machines that are not to be tried. */
  readonly openMax?: number | undefined;
  /** Between the end of one mischief and the beginning of the next, on average. */
  readonly pauseMs?: number;
  /** Told about once a second how it goes. */
  readonly onStatus?: (status: ChaosStatus) => void;
}

export interface OwnChaosOptions extends ChaosOptions {
  readonly transport: TransportName;
  readonly seed: string;
}

export interface ChaosStatus {
  readonly elapsedMs: number;
  /** Orders that were acknowledged. */
  readonly placed: number;
  /** Orders that are being asked for. */
  readonly asking: number;
  /** Jobs that are not closed. */
  readonly open: number;
  /** What is being done, or was last. */
  readonly now: string;
  readonly faults: number;
}

export interface ChaosReport {
  readonly faults: number;
  readonly made: number;
  readonly placed: number;
  /** Orders made a second, as long as there were any. */
  readonly madePerS: number;
  /** Orders acknowledged a second, until all were. */
  readonly placedPerS: number;
  /** Jobs closed a second, until all were. */
  readonly closedPerS: number;
  /** How long it took from the last order until all jobs were closed. */
  readonly drainMs: number;
  /** By what was done: how long after it was over a new customer's job was accepted, done and charged, ms. */
  readonly recoveriesMs: ReadonlyMap<string, readonly number[]>;
  readonly findings: readonly Finding[];
  /** Answers that the API should not have given. */
  readonly refusals: readonly string[];
}

/** With what is done and the recovery from it, ten or more of them come in two minutes: each kind there is. */
const PAUSE_MS = 3_000;
/** The next one does not wait for longer: a new customer's job may be behind a backlog, once it is to be judged. */
const RECOVERY_PATIENCE_MS = 5_000;
/** Time of a call to a model. */
const ANSWERS_AFTER_MS = 20;
const STATUS_INTERVAL_MS = 1_000;
/** Orders that are waited for before anything is broken. */
const WARM_UP_ORDERS = 20;

/** On a system of its own. */
export async function runChaos({ transport, seed, ...options }: OwnChaosOptions): Promise<ChaosReport> {
  await using world = keepingBills(await startWorld({ transport, seed, breakers: "automatic" }));
  return await letLoose(world, options);
}

/** On a system that is there. */
export async function letLoose(world: World, options: ChaosOptions): Promise<ChaosReport> {
  const { ratePerS, durationMs, openMax } = options;
  const startedMs = performance.now();
  await using load = await startLoad(world, { ratePerS, openMax, answersAfterMs: ANSWERS_AFTER_MS });
  const progress: Progress = { faults: 0, now: "nothing yet" };
  using _watching = watch(options, { load, startedMs, progress });
  const recoveries = await breakThings(world, load, options, startedMs + durationMs, progress);
  const orderedMs = performance.now() - startedMs;
  progress.now = "waiting for what was ordered to be acknowledged, and done";
  await load.stop();
  const placedMs = performance.now() - startedMs;
  const recoveriesMs = await timesOf(recoveries);
  await stuckJobs(world.system);
  const closedMs = performance.now() - startedMs;
  progress.now = "looking at everything";
  const findings = await audit(world);
  const { made, placed, refusals } = load;
  return {
    faults: progress.faults,
    made,
    placed,
    madePerS: perS(made, orderedMs),
    placedPerS: perS(placed, placedMs),
    closedPerS: perS(placed, closedMs),
    drainMs: closedMs - orderedMs,
    recoveriesMs,
    findings,
    refusals,
  };
}

function perS(count: number, ms: number): number {
  return (count * 1_000) / ms;
}

interface Progress {
  faults: number;
  now: string;
}

async function breakThings(
  world: World,
  load: Load,
  { pauseMs = PAUSE_MS }: ChaosOptions,
  endMs: number,
  progress: Progress,
): Promise<Recoveries> {
  const recoveries = new Map<string, Promise<number>[]>();
  await load.untilPlaced(WARM_UP_ORDERS);
  const probe = await Probe.open(world, await publish(world.system, { cascade: [step("fast")] }));
  for (let round = 0; ; round += 1) {
    const ofRound = (...words: string[]): number => world.chance("chaos", String(round), ...words);
    for (const { name, act } of mischiefs(world, (mischief) => ofRound("order", mischief))) {
      if (performance.now() >= endMs) return recoveries;
      const chance = (word: string): number => ofRound(name, word);
      progress.now = name;
      progress.faults += 1;
      await act(world, chance);
      const recovered = probe.untilDone();
      // Looked at in the end.
      recovered.catch(() => undefined);
      recoveries.set(name, [...(recoveries.get(name) ?? []), recovered]);
      const leftMs = Math.max(0, endMs - performance.now());
      await Promise.race([recovered, delay(Math.min(RECOVERY_PATIENCE_MS, leftMs))]);
      await delay(Math.min(chance("pause") * 2 * pauseMs, Math.max(0, endMs - performance.now())));
    }
  }
}

/** By what was done: how long it took each time until a new customer's job was done. */
type Recoveries = ReadonlyMap<string, readonly Promise<number>[]>;

async function timesOf(recoveries: Recoveries): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = [...recoveries].map(async ([name, each]) => [name, await Promise.all(each)] as const);
  return new Map(await Promise.all(times));
}

interface Watched {
  readonly load: Load;
  readonly startedMs: number;
  readonly progress: Progress;
}

/** Tells how it goes until it is disposed of. */
function watch({ onStatus }: ChaosOptions, { load, startedMs, progress }: Watched): Disposable {
  const timer = setInterval(() => {
    const { placed, underWay: asking, open } = load;
    onStatus?.({ elapsedMs: performance.now() - startedMs, placed, asking, open, ...progress });
  }, STATUS_INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The simulator keeps its last bills only, which a long run exceeds: they are taken out of it now and then. */
function keepingBills(world: World): World {
  const { simulator } = world.system;
  const kept: BilledRecord[] = [];
  const take = (): void => {
    kept.push(...simulator.billed());
    simulator.clearLog();
  };
  const taking = setInterval(take, STATUS_INTERVAL_MS);
  const patient: Simulator = { ...simulator, billed: () => [...kept, ...simulator.billed()] };
  return {
    ...world,
    system: { ...world.system, simulator: patient },
    async [Symbol.asyncDispose]() {
      clearInterval(taking);
      await world[Symbol.asyncDispose]();
    },
  };
}
