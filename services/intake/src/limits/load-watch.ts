/**
 * What waits on each tier, and how fast it is taken up: looked at every few seconds by each process, for accepting jobs by
 * their deadlines (core/job/admission). It is an estimate. Where it is not known it is null, and nothing is refused by it.
 *
 * The pace is that of attempts while messages waited all the time: only then does it say what a tier can do, and not what
 * was asked of it. It is smoothed, so that a pause of seconds does not count as an end; and it is never said to be slower
 * than one attempt in all of the time that was looked at: of a tier that has just come to a stand nobody knows more.
 */
import { setTimeout as delay } from "node:timers/promises";
import { tierIds } from "@contingent/catalog/tiers";
import { attemptQueue } from "@contingent/contracts/messages/catalog";
import type { TierLoad } from "@contingent/core/job/admission";
import { attemptsBegunSince } from "@contingent/db/attempt-pace";
import type { Queryable } from "@contingent/db/pool";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";

const LOOK_INTERVAL_MS = 2_000;
/** A transport that says nothing any more is not waited for: the next look may find it back. */
const LOOK_TIMEOUT_MS = 10_000;
/** Looking takes at most this share of the time, however large a backlog makes it. */
const LOOKING_SHARE_MAX = 0.2;
/** What fewer messages wait for is over before it could be measured. */
const BACKLOG_MIN = 200;
/** For less than this nothing is said: a process that starts, or a few calls that take long, look like a tier that stands still. */
const WATCHED_MIN_MS = 10_000;
/** Over which time the pace is smoothed. */
const PACE_MEMORY_MS = 30_000;

export interface LoadWatchParts {
  readonly queues: Pick<Queues, "depth" | "places">;
  readonly db: Queryable;
  readonly log: Log;
}

/** The last look at a tier while messages waited, by the database's clock. */
interface Look {
  /** Since when messages have waited. */
  readonly sinceMs: number;
  readonly atMs: number;
  readonly waiting: number;
  /** Attempts per second; null: not measured yet. */
  readonly pace: number | null;
}

export class LoadWatch {
  readonly #parts: LoadWatchParts;
  readonly #looks = new Map<string, Look>();
  readonly #loads = new Map<string, TierLoad>();

  constructor(parts: LoadWatchParts) {
    this.#parts = parts;
  }

  readonly loadOf = (tier: string): TierLoad | null => this.#loads.get(tier) ?? null;

  /** Looks until the signal aborts. A look that fails leaves nothing known. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startMs = performance.now();
      await Promise.race([this.look(), tooLong(signal)]).catch((error: unknown) => {
        this.#looks.clear();
        this.#loads.clear();
        this.#parts.log.warn(
          { err: error },
          "could not look at what waits; no job is refused by its deadline meanwhile",
        );
      });
      const tookMs = performance.now() - startMs;
      await delay(Math.max(LOOK_INTERVAL_MS, tookMs / LOOKING_SHARE_MAX), undefined, { signal }).catch(() => undefined);
    }
  }

  async look(): Promise<void> {
    const { queues, db } = this.#parts;
    const backlogs = new Map<string, number>();
    for (const tier of tierIds) {
      const { waiting } = await queues.depth(attemptQueue(tier));
      if (waiting >= BACKLOG_MIN) backlogs.set(tier, waiting);
      else this.#forget(tier);
    }
    if (backlogs.size === 0) return;
    const [last] = this.#looks.values();
    const { nowMs, attempts } = await attemptsBegunSince(db, last?.atMs ?? null);
    for (const [tier, waiting] of backlogs) await this.#see(tier, { nowMs, waiting, begun: attempts[tier] ?? 0 });
  }

  #forget(tier: string): void {
    this.#looks.delete(tier);
    this.#loads.delete(tier);
  }

  async #see(tier: string, { nowMs, waiting, begun }: Seen): Promise<void> {
    const last = this.#looks.get(tier);
    const pace = last === undefined ? null : paceAfter(last, { nowMs, waiting, begun });
    const sinceMs = last?.sinceMs ?? nowMs;
    this.#looks.set(tier, { sinceMs, atMs: nowMs, waiting, pace });
    const watchedMs = nowMs - sinceMs;
    if (pace === null || watchedMs < WATCHED_MIN_MS) return;
    const attemptsPerSecond = Math.max(pace, 1_000 / watchedMs);
    this.#loads.set(tier, { attemptsPerSecond, places: await this.#parts.queues.places(attemptQueue(tier)) });
  }
}

/** Rejects when a look has taken too long; resolves when nobody needs it any more. */
async function tooLong(signal: AbortSignal): Promise<void> {
  const isOver = await delay(LOOK_TIMEOUT_MS, true, { signal, ref: false }).catch(() => false);
  if (isOver) throw new Error("the transport does not say what waits");
}

interface Seen {
  /** By the database's clock. */
  readonly nowMs: number;
  readonly waiting: number;
  readonly begun: number;
}

/**
 * The pace with what happened since the last look. What the backlog shrank by was taken up too, whatever the clocks say by
 * which attempts were counted.
 */
export function paceAfter(last: Omit<Look, "sinceMs">, { nowMs, waiting, begun }: Seen): number {
  const elapsedMs = Math.max(1, nowMs - last.atMs);
  const measured = Math.max(begun, last.waiting - waiting) / (elapsedMs / 1_000);
  if (last.pace === null) return measured;
  const weight = 1 - Math.exp(-elapsedMs / PACE_MEMORY_MS);
  return last.pace + weight * (measured - last.pace);
}
