/** The errors that dead letters can end with: a part of the closed list in errors.ts, which checks their form. */
export const DEAD_LETTER_ERRORS = {
  dead_letter_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no dead letter of this job.",
    remedy: "List them: a job has one if it ended because the system broke. Read the job for how it stands.",
  },
  dead_letter_ended: {
    type: "conflict_error",
    status: 409,
    meaning: "The dead letter has ended otherwise: it was redriven, or dismissed, perhaps for another reason.",
    remedy: "Read it: the message says how it ended. What was decided first stands.",
  },
} as const;
