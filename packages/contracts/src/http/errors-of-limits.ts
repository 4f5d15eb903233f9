/** What is refused because there is too much of it just now: a part of the closed list in errors.ts, which checks their form. */
export const LIMIT_ERRORS = {
  too_many_open_jobs: {
    type: "rate_limit_error",
    status: 429,
    meaning: "The customer has as many jobs open as they may have at once. No job was made, and nothing is held.",
    remedy:
      "Wait until jobs close and send it again after `Retry-After` seconds, or ask the operator for a higher limit.",
  },
  deadline_out_of_reach: {
    type: "rate_limit_error",
    status: 429,
    meaning:
      "So much waits before this job that it could not be done by its deadline. No job was made, and nothing is held.",
    remedy: "Send it again after `Retry-After` seconds: by then enough of what waits should be done.",
  },
  too_many_requests: {
    type: "rate_limit_error",
    status: 429,
    meaning:
      "More requests came with this key, from this customer or from this address than may come in a while, or are answered at the same time.",
    remedy: "Send it again after `Retry-After` seconds. Many jobs fit into one request: `POST /v1/jobs/bulk`.",
  },
  too_many_failures: {
    type: "rate_limit_error",
    status: 429,
    meaning:
      "Too many requests from this address had a wrong API key or a wrong signature. This one was not looked at.",
    remedy: "Correct the key or the secret, and send it again after `Retry-After` seconds.",
  },
  too_many_waiting: {
    type: "rate_limit_error",
    status: 429,
    meaning: "Too many requests wait for results or watch events at this moment.",
    remedy: "Ask without waiting, or try again after `Retry-After` seconds.",
  },
} as const;
