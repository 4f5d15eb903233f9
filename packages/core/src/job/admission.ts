/**
 * Whether a job may be accepted just now, apart from money: how many its customer may have open, and whether it could be
 * done in time. Work that cannot be done by its deadline is better refused at once than failed later, when a hold has been
 * taken and others have waited behind it.
 */
import type { Terms } from "../outcome-type.ts";

/** What waits for attempts on a tier, as it was seen a moment ago. */
export interface TierLoad {
  /** How fast messages were taken while some waited. */
  readonly attemptsPerSecond: number;
  /** Some of the messages in the order in which they go, the first one and nearly the last one among them. */
  readonly places: readonly Place[];
}

/** A message that waits: when its turn is, and how many go before it. */
export interface Place {
  readonly turnAtMs: number;
  readonly ahead: number;
}

/** Why a job is not accepted just now, with the numbers. */
export type Congestion =
  | { readonly because: "open_jobs"; readonly open: number; readonly max: number }
  | {
      readonly because: "deadline";
      readonly tier: string;
      /** How long it would wait for its first attempt; Infinity while none begins. */
      readonly waitMs: number;
      /** By how much it would be too late. */
      readonly lateByMs: number;
    };

export interface Asked {
  readonly terms: Terms;
  readonly turnAtMs: number;
  readonly openJobs: number;
  readonly openJobsMax: number;
  /** Of the first tier of the cascade; null: nothing waits there, or nobody knows how fast it goes. */
  readonly load: TierLoad | null;
}

/** What stands in the way of a job; null: nothing. */
export function congestionOf({ terms, turnAtMs, openJobs: open, openJobsMax: max, load }: Asked): Congestion | null {
  if (open >= max) return { because: "open_jobs", open, max };
  if (load === null) return null;
  const [{ tier, timeNeededMs }] = terms.cascade;
  const waitMs = waitBefore(load, turnAtMs);
  const lateByMs = waitMs + timeNeededMs - terms.deadlineMs;
  return lateByMs > 0 ? { because: "deadline", tier, waitMs, lateByMs } : null;
}

/** How long a message with this turn would wait, if the tier went on as fast and nobody came in between. */
export function waitBefore({ attemptsPerSecond, places }: TierLoad, turnAtMs: number): number {
  const ahead = aheadOf(places, turnAtMs);
  return ahead === 0 ? 0 : (ahead / attemptsPerSecond) * 1_000;
}

/** How many go before this turn: between two places that are known, in proportion. */
function aheadOf(places: readonly Place[], turnAtMs: number): number {
  const next = places.findIndex((place) => place.turnAtMs > turnAtMs);
  const after = places[next];
  const before = next === -1 ? places.at(-1) : places[next - 1];
  if (before === undefined) return 0;
  if (after === undefined) return before.ahead + 1;
  const share = (turnAtMs - before.turnAtMs) / (after.turnAtMs - before.turnAtMs);
  return before.ahead + 1 + share * (after.ahead - before.ahead - 1);
}
