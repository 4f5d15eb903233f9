import { correctCost } from "@contingent/contracts/http/attempt-cost";
import { correctCost as bookCorrection } from "@contingent/ledger/correct-cost";
import { readAttemptCost, unknownAttempt } from "../../attempts/cost.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";

export const correctCostRoute = route(correctCost, async ({ pool }, { params: { id }, body, caller }) => {
  const { reason } = body;
  const corrected = await bookCorrection(pool, {
    attemptId: id,
    amount: nanosOf(body.amount),
    reason,
    correctedBy: caller.keyId,
  });
  if (corrected === "unknown") throw unknownAttempt(id);
  if (corrected === "open") {
    const message = `${id} is still running, or ended without reaching a provider: there is no cost to correct. Read its job, and correct it once its cost is known or estimated.`;
    throw new ApiError("attempt_cost_open", message, { param: "id" });
  }
  return { status: 200, body: await readAttemptCost(pool, id) };
});
