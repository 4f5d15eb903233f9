/**
 * How many calls may come back to a model that failed them before: as many as it answers, and of those that fail a quarter of
 * the other calls and a few each second. So a model that fails a part of its calls is not sent the same ones again and
 * again on top of the others, and one that is well again gets everything that has waited for it. A budget is one process's
 * own, for one model.
 */

export interface RetryBudget {
  /** Calls that may be made again now. */
  readonly left: number;
  /** When it was reckoned, ms on any clock that only goes forward. */
  readonly atMs: number;
}

/** However long nothing was made again. */
export const RETRIES_MAX = 20;
export const RETRIES_PER_SECOND = 10;
/** What each call that is not made again adds. */
export const RETRY_SHARE = 0.25;

export function fullBudget(nowMs: number): RetryBudget {
  return { left: RETRIES_MAX, atMs: nowMs };
}

/** A call that is none of those made again lets others be. */
export function earned(budget: RetryBudget): RetryBudget {
  return { ...budget, left: Math.min(RETRIES_MAX, budget.left + RETRY_SHARE) };
}

/** Takes a call out of the budget; null: it has to wait. */
export function taken(budget: RetryBudget, nowMs: number): RetryBudget | null {
  const refill = (Math.max(0, nowMs - budget.atMs) / 1_000) * RETRIES_PER_SECOND;
  const left = Math.min(RETRIES_MAX, budget.left + refill);
  return left < 1 ? null : { left: left - 1, atMs: nowMs };
}

/** A call that was answered, or not made after all, is put back. */
export function putBack(budget: RetryBudget): RetryBudget {
  return { ...budget, left: Math.min(RETRIES_MAX, budget.left + 1) };
}
