import { cancelJob } from "@contingent/contracts/http/operations";
import type { JobId } from "@contingent/core/ids";
import { decide } from "@contingent/core/job/decide";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { moveJob } from "../../jobs/move.ts";
import { renderJob } from "../../jobs/render.ts";

export const cancelJobRoute = route(cancelJob, async (context, { caller, params: { id } }) => {
  await findJob(context, caller, id);
  await moveJob(
    context,
    id,
    async ({ job, nowMs }) => {
      if (job.reason === "canceled") return null;
      const step = decide(job, { type: "cancel" }, { nowMs, random: Math.random() });
      if (step.kind !== "moved") throw tooLate(id);
      return step;
    },
    () => tooLate(id),
  );
  return { status: 200, body: renderJob(await findJob(context, caller, id), { kind: caller.kind }) };
});

function tooLate(id: JobId): ApiError {
  return new ApiError(
    "job_not_cancelable",
    `It is too late to cancel ${id}: its result is known already. Read the job.`,
    {
      param: "id",
    },
  );
}
