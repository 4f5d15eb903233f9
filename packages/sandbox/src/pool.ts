/**
 * A few child processes that are kept ready. One check at a time in each; a check that breaks a limit ends with its
 * process, and nobody waits behind it.
 */
import path from "node:path";
import {
  CPU_TOTAL_MS_MAX,
  type Limits,
  LIMITS,
  PROCESSES_DEFAULT,
  REQUEST_BYTES_MAX,
  RSS_AT_REST_BYTES_MAX,
  RUNS_MAX,
  SPARES,
  STAND_INS_MAX,
  START_FAILURES_MAX,
  START_MS,
  WAIT_MS,
  WAITING_MAX,
} from "./bounds.ts";
import { Child } from "./child.ts";
import { isolation } from "./launch.ts";
import { Lanes } from "./lanes.ts";
import { type Broken, outcomeOf, TOO_LARGE, watchLimits } from "./limits.ts";
import { decodeReply, laneOf, type Outcome, type Reply } from "./wire.ts";

export interface PoolOptions {
  /** How many processes are kept ready. They are started when they are first needed. */
  readonly processes?: number;
  /** How many of them, and of the spare ones, `warm` starts; all unless told otherwise. */
  readonly warmed?: number;
  readonly limits?: Limits;
  /** What a child runs; tests have children with checks of their own. */
  readonly entry?: string;
}

interface Waiting {
  readonly request: Buffer;
  readonly lane: string;
  readonly resolve: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
  /** The process it was first given to ended on its own account. */
  isRepeat: boolean;
}

export class Pool {
  readonly #processes: number;
  readonly #warmed: number;
  readonly #limits: Limits;
  readonly #entry: string;
  /** Every process that is not gone yet. */
  readonly #live = new Set<Child>();
  /** Those that are ready and of use: idle, or at work. */
  readonly #usable = new Set<Child>();
  readonly #idle: Child[] = [];
  readonly #waiting = new Lanes<Waiting>();
  #starting = 0;
  #stuck = 0;
  #startFailures = 0;
  #closed = false;

  constructor({
    processes = PROCESSES_DEFAULT,
    warmed = processes + SPARES,
    limits = LIMITS,
    entry,
  }: PoolOptions = {}) {
    this.#processes = processes;
    this.#warmed = warmed;
    this.#limits = limits;
    this.#entry = entry ?? path.join(import.meta.dirname, "child-main.ts");
  }

  /** Makes a check (`encodeRequest`). Never rejects. */
  run(request: Buffer): Promise<Outcome> {
    if (request.length > REQUEST_BYTES_MAX) return Promise.resolve(TOO_LARGE);
    if (this.#closed) return Promise.resolve(broke("the sandbox is closing"));
    if (this.#waiting.length >= WAITING_MAX) return Promise.resolve(broke(`${WAITING_MAX} checks wait already`));
    const lane = laneOf(request);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#giveUp(waiting), WAIT_MS);
      const waiting: Waiting = { request, lane, resolve, timer, isRepeat: false };
      this.#waiting.add(lane, waiting);
      this.#dispatch();
    });
  }

  /** Starts the processes before they are needed. */
  warm(): void {
    while (!this.#closed && this.#usable.size + this.#starting < this.#warmed) void this.#start();
  }

  /** Rejects when processes could not be started lately; tries it again then. */
  check(): Promise<void> {
    if (this.#startFailures === 0) return Promise.resolve();
    if (this.#starting === 0 && !this.#closed) void this.#start();
    return Promise.reject(new Error(CANNOT_START));
  }

  /** The processes that are ready. */
  get pids(): readonly number[] {
    return [...this.#usable].map(({ pid }) => pid);
  }

  /** Kills every process and waits until they are gone. Checks that run or wait are broken off. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endWaiting("the sandbox is closing");
    const children = [...this.#live];
    for (const child of children) {
      child.hold(true);
      child.kill();
    }
    await Promise.all(children.map(({ gone }) => gone));
  }

  #dispatch(): void {
    for (let child = this.#idle.at(-1); child !== undefined; child = this.#idle.at(-1)) {
      const busy = this.#usable.size - this.#idle.length;
      const waiting = this.#waiting.take(this.#capacity() - busy <= SPARES);
      if (waiting === undefined) break;
      this.#idle.pop();
      clearTimeout(waiting.timer);
      void this.#work(child, waiting);
    }
    this.#startWhatIsMissing();
  }

  /** How many processes there may be. A stuck one counts as missing, up to a bound. */
  #capacity(): number {
    return this.#processes + SPARES + Math.min(this.#stuck, STAND_INS_MAX);
  }

  /** Processes are started for those who wait. */
  #startWhatIsMissing(): void {
    while (
      !this.#closed &&
      this.#waiting.length > this.#starting + this.#idle.length &&
      this.#usable.size + this.#starting < this.#capacity()
    )
      void this.#start();
  }

  async #start(): Promise<void> {
    this.#starting += 1;
    const child = await this.#started();
    this.#starting -= 1;
    if (child === null) {
      this.#startFailures += 1;
      if (this.#startFailures >= START_FAILURES_MAX) this.#endWaiting(CANNOT_START);
    } else {
      this.#startFailures = 0;
      this.#usable.add(child);
      this.#idle.push(child);
    }
    this.#dispatch();
  }

  /** Null when it cannot be started. */
  async #started(): Promise<Child | null> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const offered = await isolation();
      if (this.#closed) return null;
      const child = new Child(this.#entry, this.#limits, offered);
      this.#live.add(child);
      void child.gone.then(() => {
        this.#live.delete(child);
        this.#discard(child);
      });
      timer = setTimeout(() => child.kill(), START_MS);
      await child.ready;
      child.hold(false);
      return child;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  async #work(child: Child, waiting: Waiting): Promise<void> {
    let broken: Broken | null = null;
    let stuck = false;
    const startMs = performance.now();
    child.hold(true);
    const endWatch = watchLimits(child.pid, this.#limits, {
      onStuck: () => {
        stuck = true;
        this.#stuck += 1;
        child.stepBack();
        this.#startWhatIsMissing();
      },
      onBroken: (which) => {
        broken = which;
        child.kill();
      },
    });
    const reply = await child.ask(waiting.request).then(decodeReply, () => null);
    endWatch();
    this.#waiting.charge(waiting.lane, performance.now() - startMs);
    if (stuck) this.#stuck -= 1;
    if (broken !== null) waiting.resolve(outcomeOf(broken, this.#limits));
    else if (reply === null || reply.tainted) this.#again(waiting);
    else waiting.resolve(reply.outcome);
    this.#putBack(child, broken === null && !stuck ? reply : null);
  }

  /** Once more in a fresh process: the fault may have been that process's own. */
  #again(waiting: Waiting): void {
    if (waiting.isRepeat) waiting.resolve(broke("the check broke its process, twice"));
    else if (this.#closed) waiting.resolve(broke("the sandbox is closing"));
    else {
      waiting.isRepeat = true;
      this.#waiting.putBack(waiting.lane, waiting);
    }
  }

  /** @param reply what it said last; null when it is of no more use */
  #putBack(child: Child, reply: Reply | null): void {
    child.hold(false);
    if (reply === null || isWorn(child, reply)) {
      child.kill();
      this.#discard(child);
      // At once, so that the next one finds it ready.
      this.warm();
    } else this.#idle.push(child);
    this.#dispatch();
  }

  #discard(child: Child): void {
    this.#usable.delete(child);
    const at = this.#idle.indexOf(child);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  #giveUp(waiting: Waiting): void {
    if (this.#waiting.remove(waiting.lane, waiting))
      waiting.resolve(broke(`no process was free within ${WAIT_MS / 1_000} s`));
  }

  #endWaiting(why: string): void {
    for (const { resolve, timer } of this.#waiting.drain()) {
      clearTimeout(timer);
      resolve(broke(why));
    }
  }
}

function isWorn({ runs }: Child, { tainted, rssBytes, cpuMs }: Reply): boolean {
  return tainted || runs >= RUNS_MAX || rssBytes > RSS_AT_REST_BYTES_MAX || cpuMs > CPU_TOTAL_MS_MAX;
}

function broke(message: string): Outcome {
  return { kind: "broke", message };
}

const CANNOT_START = "the sandbox cannot start its processes";
