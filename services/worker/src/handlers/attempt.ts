/** One message of the tier's queue: decode, load, decide, commit; with the call to the model in the middle. */
import type { Handler } from "@contingent/queue/consumer";
import { callModel } from "../call-model.ts";
import { claimAttempt } from "../claim-attempt.ts";
import type { WorkerContext } from "../context.ts";
import { recordAnswer } from "../record-answer.ts";
import { failpoint } from "@contingent/runtime/failpoints";
import { inAttemptSpan } from "../tracing.ts";

export function attemptHandler(context: WorkerContext): Handler {
  return async (message) => {
    await failpoint("worker.taken");
    const loaded = await context.loader.forAttempt(message.jobId);
    if (loaded === null || loaded.job.revision !== message.revision) return;
    await inAttemptSpan(context.tier, loaded, async (span) => {
      const attempt = await claimAttempt(context, loaded, span);
      if (attempt === null) return;
      await failpoint("worker.claimed");
      const result = await callModel(attempt);
      await failpoint("worker.answered");
      await recordAnswer(context, attempt, result, span);
    });
  };
}
