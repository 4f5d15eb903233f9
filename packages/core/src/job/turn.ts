/**
 * A job's turn: where it stands among the jobs of all customers that want an attempt.
 *
 * It is the instant of its acceptance, put off by a second for each job that its customer has open already. So a backlog is
 * spread over its customer's own future, and another customer's first job goes before nearly all of it. Nobody starves:
 * every new turn is now or later, so that what waits is reached at the latest when its turn is over. A job keeps its turn
 * for ever, and a retry or an escalation comes before what was accepted after it: work that was begun is finished first.
 *
 * Turns are told by the database's clock, also for customers whose own was moved: only what is told by one clock can be
 * compared.
 */

/** By how much each open job of a customer puts off the turn of the next one. */
export const TURN_STEP_MS = 1_000;
/** A larger backlog is put off no further: beyond it the customer's jobs stand in the order of their acceptance. */
export const TURN_BACKLOG_MAX_MS = 7 * 24 * 60 * 60 * 1_000;

/** The turn of a job that is accepted now, for a customer who has so many jobs open. */
export function turnOf(nowMs: number, openJobs: number): number {
  return nowMs + Math.min(openJobs * TURN_STEP_MS, TURN_BACKLOG_MAX_MS);
}
