/** One message of the validate queue: decode, load, judge, decide, commit. */
import type { AttemptId } from "@contingent/core/ids";
import { decide } from "@contingent/core/job/decide";
import type { Fact } from "@contingent/core/job/facts";
import { verdictCostMax } from "@contingent/core/job/job";
import type { Nanos } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { insist } from "@contingent/db/insist";
import { MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import { publishNext } from "@contingent/queue/publish-next";
import type { Handler } from "@contingent/queue/consumer";
import { databaseClockNotBehind } from "@contingent/runtime/clock";
import type { ValidatorContext } from "../context.ts";
import { type Judgement, judge } from "../judge.ts";
import { failpoint } from "@contingent/runtime/failpoints";
import { inValidationSpan } from "../tracing.ts";

export function validateHandler(context: ValidatorContext): Handler {
  return async (message) => {
    const loaded = await context.loader.forValidation(message.jobId);
    if (loaded === null || loaded.job.revision !== message.revision || loaded.answer === null) return;
    const { job, version, answer } = loaded;
    if (job.progress.inquiry !== null) return;
    // Not behind, however long the answer was on its way: a verdict after the deadline must not be charged.
    const nowMs = databaseClockNotBehind(loaded.nowMs, loaded.askedAtMs);

    const judgement = await inValidationSpan(loaded, answer.attemptId, () =>
      judge({ version, step: job.progress.step, input: loaded.input, answer }, context.run),
    );
    if (judgement.kind === "broke") {
      context.log.error({ job: job.id, attempt: answer.attemptId, error: judgement.error }, "the validator broke");
    }
    await failpoint("validator.judged");

    const fact = factOf(answer.attemptId, judgement, verdictCostMax(job));
    const step = decide(job, fact, { nowMs: nowMs(), random: Math.random() });
    if (step.kind !== "moved") return;
    const verdict = judgement.kind === "verdict" ? judgement.verdict : undefined;
    const transition = { ...step, before: job, currency: version.currency, verdict };
    const won = await insist(() => context.commit(transition), performance.now() + MESSAGE_PATIENCE_MS);
    await failpoint("validator.committed");
    if (won) await publishNext(context.queues, step.next, nowMs(), loaded.traceparent, context.log);
  };
}

/** @param cost what a verdict costs: so far always what the terms declare */
function factOf(attemptId: AttemptId, judgement: Judgement, cost: Nanos): Fact {
  if (judgement.kind === "broke") return { type: "validator_broke", attemptId, reviewId: newId("inq") };
  const { id: verdictId, decision, score, value } = judgement.verdict;
  return { type: "judged", attemptId, verdictId, decision, score, value, cost };
}
