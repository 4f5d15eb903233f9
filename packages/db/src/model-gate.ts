/**
 * The gate before a provider's models: a process asks it before each call and tells it what came of it. Outcomes are counted
 * here and exchanged with the other processes twice a second in one statement, so that a call costs none; only what changes
 * a breaker, such as taking its probe, is a statement of its own. While the database is away the last known state counts.
 */
import {
  admission,
  afterProbe,
  type Breaker,
  type BreakerState,
  type Change,
  type Outcome,
  probing,
  type Thresholds,
  trip,
} from "@contingent/core/breaker/breaker";
import { earned, fullBudget, putBack, type RetryBudget, taken } from "@contingent/core/breaker/retry-budget";
import { add, type Nanos, ZERO } from "@contingent/core/money";
import { changeBreaker, type Counted, exchangeTallies, type ModelKey, type StoredBreaker } from "./breakers.ts";
import type { Queryable } from "./pool.ts";

/** Leave to make one call. Whoever has it reports what came of the call, or gives it back. */
export interface Pass {
  readonly key: ModelKey;
  /** Of the breaker that let the call through. */
  readonly revision: number;
  readonly isProbe: boolean;
  readonly comesBack: boolean;
}

/** `away`: as if the model were unavailable. `wait`: too many calls come back to it already. */
export type Entry =
  | { readonly kind: "pass"; readonly pass: Pass }
  | { readonly kind: "away" }
  | { readonly kind: "wait" };

/** A change of a breaker that this process has made. */
export interface BreakerChanged extends ModelKey {
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly because: string;
}

export interface ModelGate {
  /** Those of the models that are known not to be worth a call, and of which no probe is due. */
  awayAmong(keys: readonly ModelKey[]): Promise<ReadonlySet<string>>;
  /**
   * Asks for leave to make a call. Where a probe is due, one process of all gets it.
   * @param comesBack whether it comes back to a model that failed it before
   * @param durationMs when the call is over at the latest: a probe that nobody reports on counts as lost then
   */
  enter(key: ModelKey, call: { readonly comesBack: boolean; readonly durationMs: number }): Promise<Entry>;
  /** The call was made. Never rejects; resolves at once unless it was a probe. */
  report(pass: Pass, outcome: Outcome, cost: Nanos): Promise<void>;
  /** The call was not made after all. Never rejects. */
  giveBack(pass: Pass): Promise<void>;
  /** Tells the others what is still untold. */
  close(): Promise<void>;
}

export interface ModelGateOptions {
  readonly log: { readonly warn: (fields: object, message: string) => void };
  readonly changed: (change: BreakerChanged) => void;
  /** What opens a breaker; core's own unless given. */
  readonly thresholds?: Thresholds;
  readonly exchangeMs?: number;
}

/** How old what is known of the breakers may be, and how long an outcome may stay untold. */
export const EXCHANGE_MS = 500;

/** What a model is that nobody has called yet. */
const UNKNOWN: Breaker = { state: "closed", forced: false, revision: 1, sinceMs: 0, openings: 0, probeAtMs: null };

export function openModelGate(db: Queryable, options: ModelGateOptions): ModelGate {
  return new Gate(db, options);
}

class Gate implements ModelGate {
  readonly #db: Queryable;
  readonly #options: ModelGateOptions;
  readonly #exchangeMs: number;
  readonly #breakers = new Map<string, Breaker>();
  readonly #budgets = new Map<string, RetryBudget>();
  #untold = new Map<string, Counted>();
  /** By how much the database's clock is ahead of this process's own. */
  #clockOffsetMs = 0;
  #freshUntilMs = -Infinity;
  #exchanging: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(db: Queryable, options: ModelGateOptions) {
    this.#db = db;
    this.#options = options;
    this.#exchangeMs = options.exchangeMs ?? EXCHANGE_MS;
  }

  async awayAmong(keys: readonly ModelKey[]): Promise<ReadonlySet<string>> {
    await this.#refresh();
    const nowMs = this.#nowMs();
    const away = keys.filter((key) => admission(this.#breakerOf(key), nowMs) === "away");
    return new Set(away.map(({ model }) => model));
  }

  async enter(key: ModelKey, call: { readonly comesBack: boolean; readonly durationMs: number }): Promise<Entry> {
    await this.#refresh();
    const breaker = this.#breakerOf(key);
    switch (admission(breaker, this.#nowMs())) {
      case "away":
        return { kind: "away" };
      case "probe": {
        const taken = await this.#change(key, breaker, probing(breaker, call.durationMs));
        if (taken === null) return { kind: "away" };
        return { kind: "pass", pass: { key, revision: taken.revision, isProbe: true, comesBack: false } };
      }
      case "call":
        if (!this.#mayCall(key, call.comesBack)) return { kind: "wait" };
        return { kind: "pass", pass: { key, revision: breaker.revision, isProbe: false, comesBack: call.comesBack } };
    }
  }

  async report({ key, revision, isProbe, comesBack }: Pass, outcome: Outcome, cost: Nanos): Promise<void> {
    const breaker = this.#breakerOf(key);
    // What was let through before the last change says nothing about after it.
    if (breaker.revision !== revision) return;
    if (isProbe) {
      await this.#change(key, breaker, afterProbe(breaker, outcome));
      return;
    }
    if (comesBack && outcome === "answered") this.#putBack(key);
    if (outcome !== "unsaid") this.#count(key, revision, outcome === "failed", cost);
  }

  async giveBack({ key, revision, isProbe, comesBack }: Pass): Promise<void> {
    if (comesBack) this.#putBack(key);
    const breaker = this.#breakerOf(key);
    if (isProbe && breaker.revision === revision) await this.#change(key, breaker, afterProbe(breaker, "unsaid"));
  }

  async close(): Promise<void> {
    await this.#exchanging;
    if (this.#untold.size > 0) await this.#exchange();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #mayCall(key: ModelKey, comesBack: boolean): boolean {
    const nowMs = performance.now();
    const budget = this.#budgets.get(nameOf(key)) ?? fullBudget(nowMs);
    const next = comesBack ? taken(budget, nowMs) : earned(budget);
    if (next !== null) this.#budgets.set(nameOf(key), next);
    return next !== null;
  }

  #putBack(key: ModelKey): void {
    const budget = this.#budgets.get(nameOf(key));
    if (budget !== undefined) this.#budgets.set(nameOf(key), putBack(budget));
  }

  #count(key: ModelKey, revision: number, failed: boolean, cost: Nanos): void {
    const before = this.#untold.get(nameOf(key));
    const none = { calls: 0, failures: 0, spent: ZERO, burnt: ZERO };
    const { calls, failures, spent, burnt } = before?.revision === revision ? before : none;
    this.#untold.set(nameOf(key), {
      ...key,
      revision,
      calls: calls + 1,
      failures: failures + (failed ? 1 : 0),
      spent: add(spent, cost),
      burnt: failed ? add(burnt, cost) : burnt,
    });
    this.#lookAgain();
  }

  /** As soon as what is known is no longer fresh. Somebody may have asked just before then, and others told meanwhile. */
  #lookAgain(): void {
    const look = async (): Promise<void> => {
      this.#timer = null;
      await this.#refresh();
      if (this.#untold.size > 0) this.#lookAgain();
    };
    this.#timer ??= setTimeout(() => void look(), Math.max(0, this.#freshUntilMs - performance.now())).unref();
  }

  /** Whoever comes while an exchange is under way waits for it: what was known before may be as old as the last call. */
  #refresh(): Promise<void> {
    if (this.#exchanging === null && performance.now() < this.#freshUntilMs) return Promise.resolve();
    this.#exchanging ??= this.#exchange().finally(() => {
      this.#exchanging = null;
    });
    return this.#exchanging;
  }

  async #exchange(): Promise<void> {
    const told = this.#untold;
    this.#untold = new Map();
    const askedAtMs = performance.now();
    this.#freshUntilMs = askedAtMs + this.#exchangeMs;
    try {
      const { breakers, nowMs } = await exchangeTallies(this.#db, [...told.values()]);
      this.#clockOffsetMs = nowMs - askedAtMs;
      // Others may have told something at the same time: once more, so that somebody sees all of it.
      if (told.size > 0) this.#lookAgain();
      for (const breaker of breakers) this.#know(breaker);
      for (const breaker of breakers) {
        const change = trip(breaker, breaker, nowMs, this.#options.thresholds);
        if (change !== null) await this.#change(breaker, breaker, change);
      }
    } catch (error) {
      // What was counted meanwhile is newer and stands; the rest is told the next time.
      for (const [name, counted] of told) if (!this.#untold.has(name)) this.#untold.set(name, counted);
      if (told.size > 0) this.#lookAgain();
      this.#options.log.warn(
        { err: error },
        "circuit breakers cannot be exchanged: the last known state goes on counting",
      );
    }
  }

  /** @returns the breaker as it stands then; null: somebody was faster, or the database is away */
  async #change(key: ModelKey, before: Breaker, change: Change): Promise<StoredBreaker | null> {
    try {
      const after = await changeBreaker(this.#db, key, before.revision, change);
      if (after === null) {
        this.#freshUntilMs = -Infinity;
        return null;
      }
      this.#know(after);
      const { provider, model } = key;
      this.#options.changed({ provider, model, from: before.state, to: after.state, because: after.because });
      return after;
    } catch (error) {
      this.#options.log.warn(
        { err: error, provider: key.provider, model: key.model },
        "a circuit breaker cannot be changed",
      );
      return null;
    }
  }

  /** An answer that was overtaken by a change of our own must not undo it. */
  #know(breaker: StoredBreaker): void {
    const known = this.#breakers.get(nameOf(breaker));
    if (known === undefined || known.revision <= breaker.revision) this.#breakers.set(nameOf(breaker), breaker);
  }

  #breakerOf(key: ModelKey): Breaker {
    return this.#breakers.get(nameOf(key)) ?? UNKNOWN;
  }

  #nowMs(): number {
    return performance.now() + this.#clockOffsetMs;
  }
}

function nameOf({ provider, model }: ModelKey): string {
  return `${provider} ${model}`;
}
