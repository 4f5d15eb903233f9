import { type AcceptanceBody, acceptJob } from "@contingent/contracts/http/acceptance";
import { decide } from "@contingent/core/job/decide";
import type { Job } from "@contingent/core/job/job";
import { type AcceptanceDecision, acceptanceDecisions } from "@contingent/db/acceptance-decisions";
import type { JobForSettlement } from "@contingent/db/load";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import type { Caller } from "../../http/authenticate.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { type Movement, moveJob } from "../../jobs/move.ts";
import { isoTime, renderJob } from "../../jobs/render.ts";

export const acceptJobRoute = route(acceptJob, async (context, { caller, params: { id }, body }) => {
  await findJob(context, caller, id);
  await moveJob(
    context,
    id,
    (loaded) => decideOn(context, loaded, body, caller.kind),
    () => refusal(`Others keep moving ${id}. Read the job.`),
  );
  return { status: 200, body: renderJob(await findJob(context, caller, id), { kind: caller.kind }) };
});

/**
 * What the decision does to the job; null when it was taken before.
 * @throws ApiError job_not_awaiting_acceptance when there is nothing to decide on, or something else was decided
 */
async function decideOn(
  context: IntakeContext,
  { job, nowMs }: JobForSettlement,
  body: AcceptanceBody,
  decidedBy: Caller["kind"],
): Promise<Movement | null> {
  const { decision, reason = null, verdict } = body;
  const { best } = job.progress;
  if (best !== null && (verdict ?? best.verdictId) === best.verdictId) {
    const fact = { type: decision === "accept" ? "accepted" : "rejected" } as const;
    const step = decide(job, fact, { nowMs, random: Math.random() });
    const { verdictId } = best;
    if (step.kind === "moved") return { ...step, decided: { decision, reason, decidedBy, verdictId } };
  }
  const taken = decisionMeant(job, await acceptanceDecisions(context.pool, job.id), verdict);
  if (taken?.decision === decision) return null;
  throw nothingToDecide(job, taken, verdict);
}

/**
 * The decision that a request repeats or contradicts. Without a verdict it is about the outcome that the job ended with;
 * while it is being reworked, and after a rework that came to nothing, about the one that was sent back last.
 */
function decisionMeant(
  job: Job,
  decisions: readonly AcceptanceDecision[],
  verdict: string | undefined,
): AcceptanceDecision | undefined {
  const works = job.resolution === null;
  const outcome = verdict ?? (works ? undefined : job.progress.best?.verdictId);
  return outcome === undefined ? decisions[0] : decisions.find(({ verdictId }) => verdictId === outcome);
}

function nothingToDecide(job: Job, taken: AcceptanceDecision | undefined, verdict: string | undefined): ApiError {
  if (taken !== undefined) {
    const said = taken.decision === "accept" ? "accepted" : "rejected";
    return refusal(`This outcome of ${job.id} was ${said} already, and that stands. Read the job.`);
  }
  const inHand = job.progress.best?.verdictId;
  switch (job.state) {
    case "queued":
    case "attempting":
    case "validating":
      return refusal(`There is nothing to decide on: ${job.id} is ${job.state}. Wait until it awaits acceptance.`);
    case "awaiting_acceptance":
      return verdict === undefined || verdict === inHand
        ? refusal(`The time to decide on ${job.id} was over at ${isoTime(job.readyAtMs)}: silence has decided.`)
        : refusal(`The outcome that awaits acceptance has the verdict ${inHand}. Look at it, then decide.`, "/verdict");
    case "settling":
    case "closed":
      return refusal(`There is nothing to decide on: ${job.id} has ended, ${job.reason}. Read the job.`);
  }
}

function refusal(message: string, param = "id"): ApiError {
  return new ApiError("job_not_awaiting_acceptance", message, { param });
}
