/** One message of the validate queue: decode, load, judge, decide, commit; where somebody has to be asked, that instead. */
import type { AttemptId } from "@contingent/core/ids";
import type { Fact } from "@contingent/core/job/facts";
import { verdictCostMax } from "@contingent/core/job/job";
import type { Nanos } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import type { Handler } from "@contingent/queue/consumer";
import { databaseClockNotBehind } from "@contingent/runtime/clock";
import { failpoint } from "@contingent/runtime/failpoints";
import { Asking } from "../asking.ts";
import type { ValidatorContext } from "../context.ts";
import { inquire } from "../inquire.ts";
import { type Judgement, judge, type ToAsk } from "../judge.ts";
import { noteFault } from "../fault.ts";
import { advance, announce, type Judging, putOff } from "../judging.ts";
import { bookLateVerdictOf } from "../late.ts";
import { endOverdue } from "../overdue.ts";
import { inValidationSpan } from "../tracing.ts";

export function validateHandler(context: ValidatorContext): Handler {
  /** Who has a strike already. */
  const suspects = new Asking(context.log, 1);
  return async (message, { redelivered }) => {
    const loaded = await context.loader.forValidation(message.jobId);
    if (loaded === null || loaded.job.revision !== message.revision || loaded.answer === null) return;
    const { job, answer } = loaded;
    const clock = databaseClockNotBehind(loaded.nowMs, loaded.askedAtMs);
    const judging: Judging = { ...loaded, answer, clock };
    if (job.progress.inquiry !== null) return endOverdue(context, judging, job.progress.inquiry);

    if (redelivered) return strike(context, judging);
    if (job.progress.strikes > 0) return reachSuspectVerdict(context, judging, suspects);
    return reachVerdict(context, judging);
  };
}

async function reachVerdict(context: ValidatorContext, judging: Judging): Promise<void> {
  await failpoint("validator.taken");
  const { job, answer } = judging;
  const judgement = await inValidationSpan(judging, () => judge(judging, context.run));
  if (judgement.kind === "inquire") return inquire(context, judging, judgement);
  if (judgement.kind === "broke") {
    context.log.error({ job: job.id, attempt: answer.attemptId, error: judgement.error }, "the validator broke");
    await noteFault(context, judging, "validator_error", judgement.error);
  }
  await failpoint("validator.judged");

  const fact = factOf(answer.attemptId, judgement, verdictCostMax(job));
  const verdict = judgement.kind === "verdict" ? judgement.verdict : undefined;
  const next = await advance(context, judging, job, fact, { verdict });
  if (next === null && verdict !== undefined) await bookLateVerdictOf(context, judging, verdict);
  await announce(context, judging, next);
}

/**
 * An answer that has a strike already is the only such one that a process judges at a time. When it takes the process with
 * it, no other suspect is under way there and gets its next strike for being near.
 */
async function reachSuspectVerdict(context: ValidatorContext, judging: Judging, suspects: Asking): Promise<void> {
  const delayMs = await suspects.start("suspect", async () => {
    await reachVerdict(context, judging);
    return null;
  });
  if (delayMs !== null) await putOff(context, judging, delayMs);
}

/**
 * Whoever took the message before has died, or was given up. Perhaps over this very answer: so that counts against it before
 * it is judged again, and an answer that takes whole processes with it does not do so for ever.
 */
async function strike(context: ValidatorContext, judging: Judging): Promise<void> {
  const { job, answer } = judging;
  const { attemptId } = answer;
  context.log.error({ job: job.id, attempt: attemptId }, "a process that judged this answer has died");
  await noteFault(context, judging, "validator_lost", "the process that judged it died");
  const lost: Fact = { type: "validator_lost", attemptId, reviewId: newId("inq") };
  await announce(context, judging, await advance(context, judging, job, lost));
}

/** @param cost what the verdict itself costs: always what the terms declare */
function factOf(attemptId: AttemptId, judgement: Exclude<Judgement, ToAsk>, cost: Nanos): Fact {
  if (judgement.kind === "broke") return { type: "validator_broke", attemptId, reviewId: newId("inq") };
  const { id: verdictId, decision, score, value } = judgement.verdict;
  return { type: "judged", attemptId, verdictId, decision, score, value, cost };
}
