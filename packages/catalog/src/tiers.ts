/** The tiers: classes of models, each with its own queue and workers, and how hard a cascade tries on them by default. */
import type { RetryPolicy } from "@contingent/core/outcome-type";

export interface Tier {
  readonly id: TierId;
  /** In order of preference: the first one is used, the others stand in while it is unavailable. */
  readonly models: readonly [string, ...string[]];
  /** A call that takes longer is aborted. */
  readonly timeoutMs: number;
  /** With less time than this left to a job's deadline an attempt is not worth starting: most would be cut off. */
  readonly timeNeededMs: number;
  /** How many attempts a cascade makes on the tier unless the outcome type says otherwise. Fewer where they are dear. */
  readonly attemptsMaxDefault: number;
  /** How long a cascade waits between them unless the outcome type says otherwise. */
  readonly retryDefault: RetryPolicy;
}

/** From the cheapest to the strongest. */
export const tierIds = ["fast", "standard", "premium"] as const;
export type TierId = (typeof tierIds)[number];

const RETRY: RetryPolicy = { initialDelayMs: 500, multiplier: 2, jitter: 0.2, delayMaxMs: 30_000 };

const TIERS: Readonly<Record<TierId, Tier>> = {
  fast: {
    id: "fast",
    models: ["claude-haiku-5-5", "claude-haiku-4-5"],
    timeoutMs: 30_000,
    timeNeededMs: 2_000,
    attemptsMaxDefault: 3,
    retryDefault: RETRY,
  },
  standard: {
    id: "standard",
    models: ["claude-sonnet-5-5", "claude-sonnet-5"],
    timeoutMs: 60_000,
    timeNeededMs: 4_000,
    attemptsMaxDefault: 2,
    retryDefault: RETRY,
  },
  premium: {
    id: "premium",
    models: ["claude-opus-5-5", "claude-opus-5"],
    timeoutMs: 120_000,
    timeNeededMs: 8_000,
    attemptsMaxDefault: 1,
    retryDefault: RETRY,
  },
};

/** The tier of exactly this id, or null. */
export function tier(id: string): Tier | null {
  return isTierId(id) ? TIERS[id] : null;
}

export function isTierId(id: string): id is TierId {
  return (tierIds as readonly string[]).includes(id);
}

/** The tier that has exactly this model by default; null: none has. */
export function tierOfModel(model: string): TierId | null {
  return tierIds.find((id) => TIERS[id].models.includes(model)) ?? null;
}
