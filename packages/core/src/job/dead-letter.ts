/** A job that ended unbilled because the system broke, and not because a model was not good enough, leaves a dead letter. */

/**
 * What broke. `validator_error`: its validators, until nobody could decide instead. `worker_lost`: whoever attempted it
 * vanished, to the last. `not_attempted`, `not_judged`: the deadline came before anybody got to it. Told by the database
 * when the job is closed (`dead_letter_cause`), from what is there by then.
 */
export const DEAD_LETTER_CAUSES = ["validator_error", "worker_lost", "not_attempted", "not_judged"] as const;
export type DeadLetterCause = (typeof DEAD_LETTER_CAUSES)[number];

/** It ends once: its job is done once more, as another one, or it is dismissed. */
export const DEAD_LETTER_STATES = ["open", "redriven", "dismissed"] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];
