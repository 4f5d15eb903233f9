/** Why a dispute or a credit cannot be, in words that say what can. */
import type { TooMuch } from "@contingent/core/books/disputes";
import type { DisputeId, JobId, StatementId } from "@contingent/core/ids";
import { formatMoney } from "@contingent/core/money";
import { ApiError } from "../http/api-error.ts";
import { isoTime } from "../jobs/render.ts";

export function tooMuch({ atMost }: TooMuch, of: string): ApiError {
  const message =
    atMost === 0n
      ? `Nothing is left of ${of}: its statement has taken it off, or it was given back already.`
      : `That is more than is left of ${of}. Send at most ${formatMoney(atMost)}.`;
  return new ApiError("amount_too_large", message, { param: "/amount" });
}

/** A large statement is closed in a minute, most in less than a second. */
const RETRY_AFTER_S = "5";

export function statementClosing(id: StatementId): ApiError {
  const message = `The statement ${id} is being closed, and what it leaves of the charge is not known yet. Send the request again in a moment.`;
  return new ApiError("statement_closing", message, { headers: { "Retry-After": RETRY_AFTER_S } });
}

export function windowOver(id: JobId, untilMs: number | null): ApiError {
  const ended = untilMs === null ? "is over" : `ended at ${isoTime(untilMs)}`;
  const message = `The time in which the charge for ${id} could be disputed ${ended}. Ask the operator for a credit note.`;
  return new ApiError("dispute_window_over", message, { param: "id" });
}

export function openAlready(id: DisputeId): ApiError {
  const message = `The dispute ${id} of this charge is open. Wait for its decision, or withdraw it.`;
  return new ApiError("dispute_open", message, { param: "id" });
}

export function resolvedOtherwise(id: DisputeId, state: string): ApiError {
  return new ApiError("dispute_resolved", `The dispute ${id} is ${state} already. Read it.`, { param: "id" });
}
