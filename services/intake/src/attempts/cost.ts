import type { AttemptCostBody } from "@contingent/contracts/http/attempt-cost";
import type { AttemptId } from "@contingent/core/ids";
import { subtract } from "@contingent/core/money";
import { findAttemptCost } from "@contingent/db/attempt-cost";
import type { Queryable } from "@contingent/db/pool";
import { ApiError } from "../http/api-error.ts";
import { isoTime, money } from "../jobs/render.ts";

/**
 * What the attempt cost, with its history.
 * @throws ApiError attempt_not_found
 */
export async function readAttemptCost(db: Queryable, id: AttemptId): Promise<AttemptCostBody> {
  const view = await findAttemptCost(db, id);
  if (view === null) throw unknownAttempt(id);
  const { currency } = view;
  return {
    object: "attempt_cost",
    attempt: view.attemptId,
    job: view.jobId,
    provider: view.provider,
    model: view.model,
    basis: view.basis,
    cost: money(view.cost, currency),
    reserve: money(view.reserve, currency),
    corrections: view.corrections.map(({ version, previous, amount, reason, correctedBy, correctedAtMs }) => ({
      version,
      previous: money(previous, currency),
      amount: money(amount, currency),
      difference: money(subtract(amount, previous), currency),
      reason,
      corrected_by: correctedBy,
      corrected_at: isoTime(correctedAtMs),
    })),
  };
}

export function unknownAttempt(id: AttemptId): ApiError {
  return new ApiError("attempt_not_found", `There is no attempt ${id}. Check the id.`, { param: "id" });
}
