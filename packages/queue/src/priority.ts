/**
 * From turns to the priorities of BullMQ: whole numbers up to 2^21 − 1, the lower the sooner. One second is one number, so
 * after 24 days they begin again. Around that instant messages that were published before it stand in the wrong place:
 * what is overdue behind all others, until the sweeper, which looks at each waiting job within minutes, puts it right
 * (`Queues.reorder`).
 */
import { TURN_BACKLOG_MAX_MS } from "@contingent/core/job/turn";

/** Zero is no priority, and goes before all others. */
const FIRST = 1;
const LAST = 2 ** 21 - 1;
const ROUND_MS = LAST * 1_000;

/** The priority of a message now: the first one of all when its turn was in an earlier round, the last one when it is in the next. */
export function priorityOf(turnAtMs: number, nowMs: number): number {
  const rounds = roundOf(turnAtMs) - roundOf(nowMs);
  if (rounds < 0) return FIRST;
  if (rounds > 0) return LAST;
  return FIRST + Math.floor((turnAtMs % ROUND_MS) / 1_000);
}

/** The turn of a message that has this priority now, to the second. */
export function turnOfPriority(priority: number, nowMs: number): number {
  return roundOf(nowMs) * ROUND_MS + (priority - FIRST) * 1_000;
}

/** Whether a message that has waited till now may have been published with another priority than it would have now. */
export function mayBeMisplaced(turnAtMs: number, nowMs: number): boolean {
  return roundOf(turnAtMs - TURN_BACKLOG_MAX_MS) !== roundOf(nowMs);
}

function roundOf(instantMs: number): number {
  return Math.floor(instantMs / ROUND_MS);
}
