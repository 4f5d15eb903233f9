/** Dead letters as the API's JSON: ids, numbers and what broke; no text of the customer's, and none that a model wrote. */
import type { DeadLetterBody, DeadLetterInFullBody } from "@contingent/contracts/http/dead-letters";
import { formatMoney } from "@contingent/core/money";
import type { DeadLetter, DeadLetterInFull } from "@contingent/db/dead-letters";
import { isoTime } from "../jobs/render.ts";

export function renderDeadLetter(letter: DeadLetter): DeadLetterBody {
  const { currency, cost, endedAtMs } = letter;
  return {
    object: "dead_letter",
    job: letter.jobId,
    customer: letter.customerId,
    outcome_type: letter.outcomeType,
    outcome_type_version: letter.version,
    cause: letter.cause,
    reason: letter.reason,
    attempts: letter.attempts,
    cost: { amount: formatMoney(cost), currency },
    accepted_at: isoTime(letter.acceptedAtMs),
    died_at: isoTime(letter.atMs),
    state: letter.state,
    redrive_of: letter.redriveOf,
    redriven_as: letter.redrivenAs,
    dismissed_because: letter.dismissedReason,
    ended_by: letter.endedBy,
    ended_at: endedAtMs === null ? null : isoTime(endedAtMs),
  };
}

export function renderDeadLetterInFull(letter: DeadLetterInFull): DeadLetterInFullBody {
  return {
    ...renderDeadLetter(letter),
    attempt_list: letter.attemptList.map(({ startedAtMs, endedAtMs, ...attempt }) => ({
      ...attempt,
      started_at: isoTime(startedAtMs),
      ended_at: endedAtMs === null ? null : isoTime(endedAtMs),
    })),
    faults: letter.faults.map(({ attemptId: attempt, cause, error, atMs }) => ({
      cause,
      attempt,
      error,
      at: isoTime(atMs),
    })),
  };
}
