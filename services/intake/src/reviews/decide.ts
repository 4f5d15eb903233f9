/** A reviewer's decision: recorded once, as the reply to the inquiry that the job waits with. */
import type { DecideReviewBody } from "@contingent/contracts/http/reviews";
import type { KeyId } from "@contingent/core/ids";
import { decide as step } from "@contingent/core/job/decide";
import { canonicalJson, type Json } from "@contingent/core/json";
import { findReview, type ReviewInFull } from "@contingent/db/reviews";
import { resultOfDecision } from "@contingent/validators/human/human";
import { ValidatorError } from "@contingent/validators/validator";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { moveJob } from "../jobs/move.ts";
import { isoTime } from "../jobs/render.ts";
import { questionOf } from "./evidence.ts";

/**
 * Records the decision and lets the job go on with it. Nothing, when the same was decided before.
 * @throws ApiError review_decided when something else was, review_over when nothing can be any more
 */
export async function decide(
  context: IntakeContext,
  review: ReviewInFull,
  body: DecideReviewBody,
  decidedBy: KeyId,
): Promise<void> {
  const decision = asRecorded(body);
  const { mayScore } = questionOf(review, await context.versions.get(review.versionId));
  const result = resultFor(body, decision, mayScore);
  if (isSettled(review, decision)) return;
  await moveJob(
    context,
    review.jobId,
    async ({ job, nowMs }) => {
      const { current, inquiry } = job.progress;
      if (current === null || inquiry?.inquiryId !== review.id) {
        const meanwhile = await findReview(context.pool, review.id, context.payloads);
        if (meanwhile !== null && isSettled(meanwhile, decision)) return null;
        throw over(review, "its job does not wait for it any more");
      }
      if (nowMs >= job.readyAtMs) throw over(review, `its time was over at ${isoTime(job.readyAtMs)}`);
      const about = { attemptId: current.attemptId, inquiryId: inquiry.inquiryId };
      const replied = { type: "replied", ...about, outcome: "replied", cost: inquiry.reserve } as const;
      const moved = step(job, replied, { nowMs, random: Math.random() });
      if (moved.kind !== "moved") throw over(review, "its job does not wait for it any more");
      return { ...moved, reply: { result, detail: decision, repliedBy: decidedBy } };
    },
    () => over(review, "others keep moving its job"),
  );
}

/** As it is kept: what was left out stays out, so that the same request is the same text. */
function asRecorded(body: DecideReviewBody): Json {
  return JSON.parse(JSON.stringify(body)) as Json;
}

function resultFor(body: DecideReviewBody, decision: Json, mayScore: boolean): ReturnType<typeof resultOfDecision> {
  if (body.score !== undefined && !mayScore) {
    const message = "This review takes no score: pass or fail. The outcome type's option `score` would allow one.";
    throw new ApiError("invalid_field", message, { param: "/score" });
  }
  try {
    return resultOfDecision(decision, mayScore);
  } catch (error) {
    if (!(error instanceof ValidatorError)) throw error;
    throw new ApiError("invalid_field", `The decision contradicts itself: ${error.message}.`, { param: "/score" });
  }
}

/**
 * Whether the review has ended with this very decision; false: it is open.
 * @throws ApiError when it has ended otherwise
 */
function isSettled(review: ReviewInFull, decision: Json): boolean {
  switch (review.outcome) {
    case null:
      return false;
    case "replied": {
      if (canonicalJson(review.detail) === canonicalJson(decision)) return true;
      const at = review.endedAtMs === null ? "" : ` at ${isoTime(review.endedAtMs)}`;
      const what = `with a score of ${review.score}${at}, by ${review.repliedBy ?? "somebody"}`;
      throw new ApiError("review_decided", `${review.id} was decided already: ${what}. Read it.`, { param: "id" });
    }
    case "silence":
    case "broke":
      throw over(review, `nobody decided until ${isoTime(review.dueAtMs)}, and silence has`);
    case "dropped":
      throw over(review, "its job does not wait for it any more");
  }
}

function over({ id, jobId }: ReviewInFull, why: string): ApiError {
  return new ApiError("review_over", `${id} cannot be decided: ${why}. Read the job ${jobId}.`, { param: "id" });
}
