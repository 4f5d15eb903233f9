/** The attempt's span: above the model call's own (which the SDK makes), linked to the attempt before it. */
import type { Effect } from "@contingent/core/job/facts";
import type { JobForAttempt } from "@contingent/db/load";
import type { CallResult } from "@contingent/providers/provider";
import { GEN_AI, OUTCOME } from "@contingent/runtime/attributes";
import { traceparentOf, withSpan } from "@contingent/runtime/tracing";
import { type Span, SpanStatusCode } from "@opentelemetry/api";

type Started = Extract<Effect, { type: "start_attempt" }>;

/** Runs the work of one attempt inside its span. */
export async function inAttemptSpan(
  tier: string,
  loaded: JobForAttempt,
  work: (span: Span) => Promise<void>,
): Promise<void> {
  const attributes = {
    [OUTCOME.jobId]: loaded.job.id,
    [OUTCOME.customerId]: loaded.customerId,
    [OUTCOME.type]: loaded.version.name,
    [OUTCOME.typeVersion]: loaded.version.version,
    [OUTCOME.tier]: tier,
  };
  const links = loaded.previousTraceparent === null ? [] : [loaded.previousTraceparent];
  await withSpan(`attempt ${tier}`, { attributes, links }, work);
}

/** The span's own context, for the next attempt to link to. */
export function attemptTraceparent(span: Span): string | undefined {
  return traceparentOf(span) ?? undefined;
}

export function describeStart(span: Span, started: Started): void {
  span.setAttributes({
    [OUTCOME.attempt]: started.number,
    [OUTCOME.attemptId]: started.attemptId,
    [GEN_AI.requestModel]: started.model,
  });
}

/** Says on the span what came of the attempt, and what is booked for it. Ids and numbers only. */
export function describeResult(span: Span, result: CallResult, effects: readonly Effect[]): void {
  const ended = effects.find((effect) => effect.type === "end_attempt");
  if (ended === undefined) return;
  span.setAttributes({ [OUTCOME.attemptResult]: ended.outcome, [OUTCOME.costNanos]: Number(ended.cost) });
  if (result.kind === "answered") return;
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", result.kind);
}
