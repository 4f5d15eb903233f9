import { cancelJob } from "@contingent/contracts/http/operations";
import type { JobId } from "@contingent/core/ids";
import { decide } from "@contingent/core/job/decide";
import { recordEndedAttempt } from "@contingent/runtime/metrics";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { renderJob } from "../../jobs/render.ts";

/** Each lost race means that the job has moved on; after a few moves it is nearly done anyway. */
const LOST_RACES_MAX = 10;

export const cancelJobRoute = route(cancelJob, async (context, { caller, params }) => {
  await findJob(context, caller, params.id);
  await cancel(context, params.id);
  return { status: 200, body: renderJob(await findJob(context, caller, params.id), { scope: caller.scope }) };
});

/** Load, decide, commit; again when somebody else has moved the job in between. */
async function cancel(context: IntakeContext, id: JobId): Promise<void> {
  for (let lost = 0; lost < LOST_RACES_MAX; lost += 1) {
    const loaded = await context.loader.forSettlement(id);
    if (loaded === null || loaded.job.reason === "canceled") return;
    const { job: before, version, traceparent, nowMs } = loaded;
    const step = decide(before, { type: "cancel" }, { nowMs, random: Math.random() });
    if (step.kind !== "moved") throw tooLate(id);
    const { next, event, effects } = step;
    if (await context.commit({ before, next, event, effects, currency: version.currency })) {
      recordEndedAttempt(before, effects);
      context.announce({ job: next, traceparent, nowMs });
      return;
    }
  }
  throw tooLate(id);
}

function tooLate(id: JobId): ApiError {
  return new ApiError(
    "job_not_cancelable",
    `It is too late to cancel ${id}: its result is known already. Read the job.`,
    {
      param: "id",
    },
  );
}
