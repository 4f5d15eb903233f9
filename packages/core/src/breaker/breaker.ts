/**
 * A circuit breaker: whether a provider's model is worth a call now. There is one for each model, shared by all processes.
 *
 *       too many of the calls, or too much money, are lost              cool-down over: one takes the probe
 *    closed ───────────────────────────────────────────────► open ───────────────────────────────────────► half open
 *      ▲                                                      ▲ ▲                                             │ │ │
 *      │                                                      │ └──── it fails: a longer cool-down ───────────┘ │ │
 *      │                                                      └────── it says nothing: another one, at once ────┘ │
 *      └───────────────────────────────────────────────────────────── it is answered ─────────────────────────────┘
 *
 * An operator may force it open or closed; then it stays so, whatever calls say. Every change has a number, and a call
 * counts under the number that it was let through with: what is left over from before a change says nothing about after it.
 */
import { formatMoney, type Nanos, nanos } from "../money.ts";

export const BREAKER_STATES = ["closed", "open", "half_open"] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface Breaker {
  readonly state: BreakerState;
  /** By an operator. */
  readonly forced: boolean;
  /** Number of the last change, from 1: the fence. */
  readonly revision: number;
  /** When it changed last, ms since the epoch by the database's clock. */
  readonly sinceMs: number;
  /** How often in a row it opened, failed probes included: the cool-down grows with it. */
  readonly openings: number;
  /** From when on a probe may be made: the cool-down is over, or the one who makes the last one is lost. Null: none is due. */
  readonly probeAtMs: number | null;
}

/** What came of the calls of a stretch of time. */
export interface Tally {
  /** Answered or failed. */
  readonly calls: number;
  readonly failures: number;
  /** What the calls cost, at their worst case where that is not known. */
  readonly spent: Nanos;
  /** What of it went to calls that failed. */
  readonly burnt: Nanos;
}

/** The calls since the last change: those of the last seconds, which show an outage at once, and of the last minute, which show a rare one. */
export interface Tallies {
  readonly short: Tally;
  readonly long: Tally;
}

/** What a breaker becomes. Times are counted from the moment at which the change is written down. */
export interface Change {
  readonly state: BreakerState;
  readonly openings: number;
  /** Null: no probe is due. */
  readonly probeInMs: number | null;
  /** Why, in a sentence without names or texts. */
  readonly because: string;
}

/** What must be lost within a window for a breaker to open. */
export interface Thresholds {
  /** Fewer calls than this prove nothing. */
  readonly callsMin: number;
  /** Less money than this that went to calls which failed is not worth a breaker. */
  readonly burntMin: Nanos;
  /** The share of the calls, or of the money, that is lost at the least, percent. */
  readonly lostPercent: number;
}

/** Of twenty calls ten fail by chance once in a hundred thousand windows when one in ten does anyway. */
export const THRESHOLDS: Thresholds = { callsMin: 20, burntMin: nanos(1_000_000_000n), lostPercent: 50 };

export const SHORT_WINDOW_MS = 5_000;
export const LONG_WINDOW_MS = 60_000;
/** A single dear call that was cut off is bad luck. */
export const BURNT_CALLS_MIN = 3;
export const COOL_DOWN_FIRST_MS = 1_000;
export const COOL_DOWN_MAX_MS = 60_000;

/** What a call may do now: be made, be made as the only probe, or not be made at all. */
export type Admission = "call" | "probe" | "away";

export function admission({ state, probeAtMs }: Breaker, nowMs: number): Admission {
  if (state === "closed") return "call";
  return probeAtMs !== null && nowMs >= probeAtMs ? "probe" : "away";
}

/** Whether the calls are reason to open a closed breaker; null: they are not. */
export function trip(
  breaker: Breaker,
  tallies: Tallies,
  nowMs: number,
  thresholds: Thresholds = THRESHOLDS,
): Change | null {
  if (breaker.state !== "closed" || breaker.forced) return null;
  const { short, long } = tallies;
  const because = lossOf(short, SHORT_WINDOW_MS, thresholds) ?? lossOf(long, LONG_WINDOW_MS, thresholds);
  if (because === null) return null;
  // One that was closed for less than a minute was closed too early: the cool-down goes on growing.
  const lasted = nowMs - breaker.sinceMs >= LONG_WINDOW_MS;
  return open((lasted ? 0 : breaker.openings) + 1, because);
}

/** Who takes the probe; nobody else may, until it is over or counts as lost. */
export function probing({ openings }: Breaker, durationMs: number): Change {
  return {
    state: "half_open",
    openings,
    probeInMs: durationMs,
    because: "The cool-down is over: one call is a probe.",
  };
}

export type Outcome = "answered" | "failed" | "unsaid";

/** What the breaker becomes after its probe. */
export function afterProbe({ openings }: Breaker, outcome: Outcome): Change {
  switch (outcome) {
    case "answered":
      return { state: "closed", openings, probeInMs: null, because: "The probe was answered." };
    case "failed":
      return open(openings + 1, "The probe failed.");
    case "unsaid":
      return { state: "open", openings, probeInMs: 0, because: "The probe said nothing: another one is to be made." };
  }
}

function open(openings: number, because: string): Change {
  return { state: "open", openings, probeInMs: coolDownMs(openings), because };
}

/** One second for the first opening, and twice as long each time, up to a minute. */
export function coolDownMs(openings: number): number {
  return Math.min(COOL_DOWN_FIRST_MS * 2 ** Math.min(Math.max(0, openings - 1), 30), COOL_DOWN_MAX_MS);
}

/** In a sentence, what was lost in a window that is too much; null: nothing. */
function lossOf(
  { calls, failures, spent, burnt }: Tally,
  windowMs: number,
  { callsMin, burntMin, lostPercent }: Thresholds,
): string | null {
  const when = `within ${windowMs / 1_000} s`;
  if (calls >= callsMin && failures * 100 >= calls * lostPercent)
    return `${failures} of ${calls} calls failed ${when}.`;
  if (burnt >= burntMin && failures >= BURNT_CALLS_MIN && burnt * 100n >= spent * BigInt(lostPercent)) {
    return `${formatMoney(burnt)} of ${formatMoney(spent)} USD went to calls that failed ${when}.`;
  }
  return null;
}
