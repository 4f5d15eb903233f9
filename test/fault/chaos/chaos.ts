/** A mix of hazards under load, for as long as is wished; then everything is looked at. One seed decides what comes when. */
import { setTimeout as delay } from "node:timers/promises";
import type { BilledRecord, Simulator } from "@contingent/simulator/server";
import type { TransportName } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { publish } from "../../e2e/support/cases.ts";
import { step } from "../../e2e/support/sums.ts";
import { audit, type Finding } from "../harness/audit.ts";
import { type Load, startLoad } from "../harness/load.ts";
import { startWorld, type World } from "../harness/world.ts";
import { nextMischief } from "./mischief.ts";
import { Probe } from "./probe.ts";

export interface ChaosOptions {
  readonly transport: TransportName;
  readonly seed: string;
  readonly durationMs: number;
  /** Orders a second, as far as the machine keeps up: no more are made while `openMax` jobs are open. */
  readonly ratePerS: number;
  readonly openMax?: number;
  /** Told about once a second how it goes. */
  readonly onStatus?: (status: ChaosStatus) => void;
  /** Between the end of one and the beginning of the next. */
  readonly pauseMs?: number;
}

export interface ChaosStatus {
  readonly elapsedMs: number;
  readonly placed: number;
  readonly open: number;
  /** What is being done, or was last. */
  readonly now: string;
  readonly faults: number;
}

export interface ChaosReport {
  readonly placed: number;
  /** Jobs closed a second, from the first order to the last job's end. */
  readonly closedPerS: number;
  /** By what was done: how long after it was over a new customer's job was accepted, done and charged, ms. */
  readonly recoveriesMs: ReadonlyMap<string, readonly number[]>;
  readonly findings: readonly Finding[];
  /** Answers that the API should not have given. */
  readonly refusals: readonly string[];
}

const PAUSE_MS = 1_500;
const OPEN_MAX = 400;
const STATUS_INTERVAL_MS = 1_000;
/** Orders that are waited for before anything is broken. */
const WARM_UP_ORDERS = 20;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { transport, seed, ratePerS, durationMs } = options;
  await using world = keepingBills(await startWorld({ transport, seed }));
  const startedMs = performance.now();
  const gauge = new Gauge(world);
  await using load = await startLoad(world, {
    ratePerS,
    answersAfterMs: 20,
    mayOrder: () => gauge.open < (options.openMax ?? OPEN_MAX),
  });
  const progress: Progress = { faults: 0, now: "nothing yet" };
  const watching = watch(options, { load, gauge, startedMs, progress });
  const recoveriesMs = await breakThings(world, load, options, startedMs + durationMs, progress);
  progress.now = "closing what is open";
  await load.stop();
  const findings = await audit(world);
  const closedPerS = (load.placed * 1000) / (performance.now() - startedMs);
  watching.abort();
  return { placed: load.placed, closedPerS, recoveriesMs, findings, refusals: load.refusals };
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
): Promise<Map<string, number[]>> {
  const recoveriesMs = new Map<string, number[]>();
  await until(() => load.placed >= WARM_UP_ORDERS, { timeoutMs: 60_000, what: "the first orders" });
  const type = await publish(world.system, { cascade: [step("fast")] });
  const probe = await Probe.open(world, type);
  for (let n = 0; performance.now() < endMs; n += 1) {
    const chance = (word: string): number => world.chance("chaos", String(n), word);
    const { name, act } = nextMischief(world, chance("what"));
    progress.now = name;
    progress.faults += 1;
    await act(world, chance);
    const tookMs = await probe.untilDone();
    recoveriesMs.set(name, [...(recoveriesMs.get(name) ?? []), tookMs]);
    await delay(chance("pause") * 2 * pauseMs);
  }
  return recoveriesMs;
}

/** How many jobs are open, asked now and then past every link; what was seen last while the database is away. */
class Gauge {
  readonly #world: World;
  #isAsking = false;
  #askedAtMs = 0;
  open = 0;

  constructor(world: World) {
    this.#world = world;
  }

  refresh(): void {
    if (this.#isAsking || performance.now() - this.#askedAtMs < STATUS_INTERVAL_MS / 4) return;
    this.#isAsking = true;
    this.#askedAtMs = performance.now();
    const text = "SELECT count(*)::int AS open FROM job WHERE state <> 'closed'";
    void this.#world.system.pool
      .query<{ open: number }>({ text })
      .then(({ rows }) => (this.open = rows[0]?.open ?? 0))
      .catch(() => undefined)
      .finally(() => (this.#isAsking = false));
  }
}

interface Watched {
  readonly load: Load;
  readonly gauge: Gauge;
  readonly startedMs: number;
  readonly progress: Progress;
}

function watch({ onStatus }: ChaosOptions, { load, gauge, startedMs, progress }: Watched): AbortController {
  const stopped = new AbortController();
  const look = async (): Promise<void> => {
    let toldMs = 0;
    while (!stopped.signal.aborted) {
      gauge.refresh();
      const elapsedMs = performance.now() - startedMs;
      if (elapsedMs - toldMs >= STATUS_INTERVAL_MS) {
        onStatus?.({ elapsedMs, placed: load.placed, open: gauge.open, ...progress });
        toldMs = elapsedMs;
      }
      await delay(STATUS_INTERVAL_MS / 4, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  void look();
  return stopped;
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
