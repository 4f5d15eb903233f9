/** The errors that disputes and credit notes can end with: a part of the closed list in errors.ts, which checks their form. */
export const DISPUTE_ERRORS = {
  dispute_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such dispute, or it belongs to another customer.",
    remedy: "Check the id (`dsp_…`) and the key.",
  },
  dispute_window_over: {
    type: "conflict_error",
    status: 409,
    meaning: "The time in which the charge could be disputed is over, or its outcome type has none.",
    remedy: "Ask the operator: a credit note can be given at any time.",
  },
  dispute_open: {
    type: "conflict_error",
    status: 409,
    meaning: "Another dispute of this charge is open.",
    remedy: "Wait for its decision, or withdraw it and open another one.",
  },
  dispute_resolved: {
    type: "conflict_error",
    status: 409,
    meaning: "The dispute has been decided or withdrawn already, and in another way.",
    remedy: "Read the dispute. More can be given back by a credit note; what was given back stays.",
  },
  amount_too_large: {
    type: "conflict_error",
    status: 409,
    meaning: "The amount is more than is left of the charge, or more than is disputed. Nothing was booked.",
    remedy: "Send at most the amount that the message names.",
  },
  statement_closing: {
    type: "conflict_error",
    status: 409,
    meaning:
      "The statement that bills the charge is being closed at this moment, so it is not known yet what it leaves to be given back. Nothing was booked.",
    remedy: "Send the same request again after `Retry-After` seconds.",
  },
  credit_ref_reused: {
    type: "conflict_error",
    status: 409,
    meaning: "This `ref` stands for another credit note of the job: of another amount or reason. Nothing was booked.",
    remedy: "Use a new `ref` for another credit, and the same one only to repeat exactly the same request.",
  },
} as const;
