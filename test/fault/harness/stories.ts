/** What happened to a job, as the types of its events. */

/** Nothing came in between: one attempt, one verdict, one settlement. */
export const UNDISTURBED = ["job.accepted", "attempt.started", "attempt.answered", "job.resolved", "job.closed"];
