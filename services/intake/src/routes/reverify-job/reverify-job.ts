import { reverifyJob } from "@contingent/contracts/http/operations";
import type { JobView } from "@contingent/db/job-views";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { renderLeaves, renderReverification } from "../../jobs/render-reverification.ts";
import { reverify } from "../../jobs/reverify.ts";

export const reverifyJobRoute = route(reverifyJob, async (context, { caller, params }) => {
  const view = await findJob(context, caller, params.id);
  const found = await reverify(context, params.id);
  if (found === null) throw noVerdict(view);
  const body = renderReverification(params.id, found);
  return { status: 200, body: caller.kind === "operator" ? { ...body, leaves: renderLeaves(found) } : body };
});

function noVerdict({ id, state, reason }: JobView): ApiError {
  const message =
    state === "closed"
      ? `${id} ended without a verdict (${reason ?? "unknown"}) and was not charged: there is nothing to verify again.`
      : `${id} is ${state} and has no verdict yet. Wait for one.`;
  return new ApiError("no_verdict", message, { param: "id" });
}
