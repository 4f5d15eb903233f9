/**
 * Notices at once what would else be noticed job by job, at the end of a lease or of the patience for a message:
 *
 * - a process that holds jobs is gone: they become due, and the sweeper takes them away from it;
 * - messages may be gone (the transport lost its memory, was away, or takes messages again; the database was away, and with
 *   it the confirmation of commits whose message was never sent): those of all jobs are published again.
 *
 * Everything here can be done twice, and by any number of processes. The sweeper makes up for what is not noticed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { wakeOrphans } from "@contingent/db/holders";
import { type OpenPool, ping } from "@contingent/db/pool";
import { recordOrphans, recordRepublished, recordTransport } from "@contingent/runtime/metrics";
import type { LedgerContext } from "./context.ts";
import { republish } from "./republish.ts";
import { Steadiness } from "./steadiness.ts";

export interface LookoutContext extends Pick<LedgerContext, "versions" | "queues" | "log"> {
  /** Told of by itself when a connection breaks that nobody uses. */
  readonly pool: OpenPool;
}

export interface LookoutOptions {
  /** Pause between two looks. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** What is lost is noticed within this much. */
export const LOOKOUT_INTERVAL_MS = 500;
/** Holders show themselves every 2 s. One that is alive and still not seen for this long loses what it holds, and no money of a customer's. */
const UNSEEN_MS = 10_000;
/** A look that comes later than this after the one before has missed something. */
const BLIND_MAX_MS = 3_000;
/** Between two times that everything is published; longer after one that took longer, so that it is never most of the work. */
const REPUBLISH_PAUSE_MIN_MS = 1_000;

/** Looks out until the signal aborts. */
export async function runLookout(context: LookoutContext, { intervalMs, signal }: LookoutOptions): Promise<void> {
  const lookout = new Lookout(context);
  while (!signal.aborted) {
    await lookout.look();
    await delay(intervalMs, undefined, { signal }).catch(() => {});
  }
  await lookout.close();
}

export class Lookout {
  readonly #context: LookoutContext;
  readonly #steadiness = new Steadiness(BLIND_MAX_MS);
  readonly #stop = new AbortController();
  readonly #onBroken = (): void => {
    this.#inDoubt = true;
  };
  /** Whether messages may be missing: nobody knows what happened before the first look. */
  #inDoubt = true;
  #transportFails = false;
  #republishing: Promise<void> | null = null;
  #hasPublished = false;
  #notBeforeMs = 0;

  constructor(context: LookoutContext) {
    this.#context = context;
    context.pool.on("error", this.#onBroken);
  }

  /** One look. Never rejects. */
  async look(): Promise<void> {
    const [transport, database] = await Promise.all([this.#lookAtTransport(), this.#lookAtDatabase()]);
    if (!transport || !database) this.#inDoubt = true;
    else if (this.#inDoubt && this.#republishing === null && performance.now() >= this.#notBeforeMs) {
      this.#inDoubt = false;
      this.#republishing = this.#republish();
    }
  }

  /** Begins nothing more, and resolves when what is under way has ended: of a long publishing the page that it is at. */
  async close(): Promise<void> {
    this.#context.pool.off("error", this.#onBroken);
    this.#stop.abort();
    await this.#republishing;
  }

  /** @returns whether it takes messages */
  async #lookAtTransport(): Promise<boolean> {
    const { log, queues } = this.#context;
    try {
      if (!(await queues.remembers())) this.#inDoubt = true;
      if (this.#transportFails) log.warn({}, "the queue transport takes messages again");
      this.#transportFails = false;
    } catch (error) {
      if (!this.#transportFails) log.error({ error: textOf(error) }, "ALARM: the queue transport fails");
      this.#transportFails = true;
    }
    recordTransport(!this.#transportFails);
    return !this.#transportFails;
  }

  /** @returns whether it answers */
  async #lookAtDatabase(): Promise<boolean> {
    const { pool, log } = this.#context;
    try {
      await ping(pool);
      if (this.#steadiness.answered(performance.now()) < UNSEEN_MS) return true;
      for (const [holder, jobs] of await wakeOrphans(pool, UNSEEN_MS)) {
        log.warn({ holder, jobs }, "a process is not seen any more: its jobs are taken away from it");
        recordOrphans(jobs);
      }
      return true;
    } catch (error) {
      this.#steadiness.interrupted();
      log.warn({ error: textOf(error) }, "the database fails");
      return false;
    }
  }

  /** Never rejects. */
  async #republish(): Promise<void> {
    const { log } = this.#context;
    const startedMs = performance.now();
    const passedMs = (): number => Math.round(performance.now() - startedMs);
    try {
      // Before the first look nothing is known to have been interrupted: other processes may be at work undisturbed.
      const jobs = await republish(this.#context, { wasInterrupted: this.#hasPublished, signal: this.#stop.signal });
      this.#hasPublished = true;
      recordRepublished(jobs);
      log.info({ jobs, durationMs: passedMs() }, "published the messages of all jobs that wait for one");
    } catch (error) {
      this.#inDoubt = true;
      log.warn({ error: textOf(error) }, "not all messages could be published again");
    }
    this.#notBeforeMs = performance.now() + Math.max(REPUBLISH_PAUSE_MIN_MS, passedMs());
    this.#republishing = null;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
