/** The errors that reviews, audits and calibration can end with: a part of the closed list in errors.ts, which checks their form. */
export const QUALITY_ERRORS = {
  review_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such review.",
    remedy: "Check the id (`inq_…`), or list the open reviews.",
  },
  review_decided: {
    type: "conflict_error",
    status: 409,
    meaning: "The review was decided already: otherwise, or for another reason.",
    remedy: "Read the review. What was decided first stands.",
  },
  review_over: {
    type: "conflict_error",
    status: 409,
    meaning: "The review can no longer be decided: its time is over, or the job does not wait for it any more.",
    remedy: "Read the review and its job: the message says what has happened.",
  },
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
  judge_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such judge.",
    remedy: "Check the id (`jdg_…`), or list the judges. A judge is known once it was asked about a known-bad answer.",
  },
  judge_not_suspended: {
    type: "conflict_error",
    status: 409,
    meaning: "The judge is not suspended, so that there is nothing to reinstate.",
    remedy: "Read the judges: it may have been reinstated already, for another reason.",
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
