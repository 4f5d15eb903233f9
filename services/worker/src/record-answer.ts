import { attemptQueue } from "@contingent/contracts/messages/catalog";
import { costOf, type Usage } from "@contingent/core/cost";
import { decide } from "@contingent/core/job/decide";
import type { Fact } from "@contingent/core/job/facts";
import { LEASE_GRACE_MS } from "@contingent/core/job/moves";
import type { AttemptAnswer } from "@contingent/db/commit";
import { insist } from "@contingent/db/insist";
import { insistOnCommit } from "@contingent/db/insist-on-commit";
import { storableText } from "@contingent/db/storable";
import { bookLateCost } from "@contingent/ledger/late-cost";
import type { CallResult } from "@contingent/providers/provider";
import { publishNext } from "@contingent/queue/publish-next";
import type { ClaimedAttempt } from "./claim-attempt.ts";
import type { WorkerContext } from "./context.ts";
import { reportCall } from "./gate.ts";
import { failpoint } from "@contingent/runtime/failpoints";
import { recordEndedAttempt } from "@contingent/runtime/metrics";
import { describeResult } from "./tracing.ts";
import type { Span } from "@opentelemetry/api";

/**
 * Writes down what came of an attempt: its cost, its answer, and the job's next step, in one commit. When the job has
 * moved on meanwhile, the answer is dropped and its cost is booked all the same.
 */
export async function recordAnswer(
  context: WorkerContext,
  attempt: ClaimedAttempt,
  result: CallResult,
  span: Span,
): Promise<void> {
  const { job, loaded, nowMs } = attempt;
  const fact = factOf(attempt, result);
  await reportCall(context, attempt, result, fact);
  const step = decide(job, fact, { nowMs: nowMs(), random: Math.random() });
  if (step.kind !== "moved") return;
  const { next, event, effects } = step;
  describeResult(span, result, effects);
  const { currency } = loaded.version;
  const transition = { before: job, next, event, effects, currency, answer: answerOf(result) };
  // An answer has been paid for: it waits for a database that is away for as long as the job is ours.
  const leftMs = Math.max(job.wakeAtMs - nowMs(), LEASE_GRACE_MS);
  const won = await insistOnCommit(context, transition, performance.now() + leftMs);
  await failpoint("worker.committed");
  if (!won) {
    await bookLate(context, attempt, result);
    return;
  }
  recordEndedAttempt(job, effects);
  for (const effect of effects) {
    if (effect.type === "pause_tier") await context.queues.pauseFor(attemptQueue(effect.tier), effect.durationMs);
  }
  await publishNext(context.queues, next, nowMs(), loaded.traceparent, context.log);
}

function factOf(attempt: ClaimedAttempt, result: CallResult): Fact {
  const { attemptId } = attempt.started;
  if (result.kind === "answered") {
    return { type: "answered", attemptId, cost: costOf(attempt.rate, result.usage), stop: result.stop };
  }
  const { kind: failure, mayHaveBeenBilled, retryAfterMs } = result;
  return { type: "call_failed", attemptId, failure, mayHaveBeenBilled, retryAfterMs };
}

function answerOf(result: CallResult): AttemptAnswer {
  if (result.kind !== "answered") {
    const none = { text: null, responseId: null, usage: null, inputTokens: null, outputTokens: null };
    return { ...none, error: storableText(result.message) };
  }
  return {
    text: storableText(result.text),
    responseId: result.responseId,
    usage: result.rawUsage,
    inputTokens: promptTokens(result.usage),
    outputTokens: result.usage.outputTokens,
    error: null,
  };
}

async function bookLate(context: WorkerContext, attempt: ClaimedAttempt, result: CallResult): Promise<void> {
  if (result.kind !== "answered") return;
  const { started, loaded, rate } = attempt;
  const late = {
    jobId: attempt.job.id,
    attemptId: started.attemptId,
    provider: started.provider,
    model: started.model,
    cost: costOf(rate, result.usage),
    currency: loaded.version.currency,
    usage: result.rawUsage,
    inputTokens: promptTokens(result.usage),
    outputTokens: result.usage.outputTokens,
  };
  const booked = await insist(() => bookLateCost(context.pool, late), performance.now() + LATE_COST_PATIENCE_MS);
  context.log.info({ job: late.jobId, attempt: late.attemptId, booked }, "late answer: output dropped, cost booked");
}

/** A cost is the truth whenever it comes: the database gets this long to be back for it. */
const LATE_COST_PATIENCE_MS = 60_000;

function promptTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
}
