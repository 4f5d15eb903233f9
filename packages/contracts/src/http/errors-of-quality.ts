/** The errors that audits and calibration can end with: a part of the closed list in errors.ts, which checks their form. */
export const QUALITY_ERRORS = {
  audit_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such audit.",
    remedy: "Check the id (`aud_…`), or list the audits.",
  },
  audit_decided: {
    type: "conflict_error",
    status: 409,
    meaning: "The audit has a result already: another one, or for another reason.",
    remedy: "Read the audit. A result stays; what it did not give back can be given by a credit note.",
  },
  insufficient_data: {
    type: "conflict_error",
    status: 409,
    meaning:
      "Too few outcomes have been labelled as right or wrong for a threshold to be found by its probability. No version was made.",
    remedy:
      "Give `success_at` as a score until there are enough labels: the message says how many there are, and the quality of the outcome type from which sources.",
  },
} as const;
