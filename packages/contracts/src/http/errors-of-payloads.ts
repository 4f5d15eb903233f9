/** The errors of texts that are kept no longer: a part of the closed list in errors.ts, which checks their form. */
export const PAYLOAD_ERRORS = {
  payload_erased: {
    type: "not_found_error",
    status: 410,
    meaning: "The texts of the job were erased, so that what was asked for cannot be made of them any more.",
    remedy:
      "Nothing: they are gone for good. What was made of them before, such as a receipt that was asked for in time, stays.",
  },
  jobs_open: {
    type: "conflict_error",
    status: 409,
    meaning: "Jobs of the customer are still open: without their texts they could not be done.",
    remedy: "Cancel them or wait until they are closed, and keep others from coming in (revoke the customer's keys).",
  },
} as const;
