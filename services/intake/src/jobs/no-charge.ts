import type { JobView } from "@contingent/db/job-views";
import { ApiError } from "../http/api-error.ts";

/** Why there is nothing of what presupposes a charge, such as "no receipt" or "nothing to dispute". */
export function noCharge({ id, state, resolution, reason }: JobView, nothing: string, param = "id"): ApiError {
  return new ApiError("no_charge", whyNot(), { param });

  function whyNot(): string {
    if (state !== "closed")
      return `${id} is still ${state} and not charged, so there is ${nothing}. Wait for it to close.`;
    if (resolution !== "failure") return `${id} was delivered at no charge, so there is ${nothing}.`;
    return `${id} ended as a failure (${reason ?? "unknown"}) and costs nothing, so there is ${nothing}.`;
  }
}
