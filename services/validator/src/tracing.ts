/** The span of reaching a verdict, with the verdict as a GenAI evaluation event. */
import type { AttemptId } from "@contingent/core/ids";
import type { JobForValidation } from "@contingent/db/load";
import { GEN_AI, OUTCOME } from "@contingent/runtime/attributes";
import { recordValidation } from "@contingent/runtime/metrics";
import { withSpan } from "@contingent/runtime/tracing";
import { SpanStatusCode } from "@opentelemetry/api";
import type { Judgement } from "./judge.ts";

/** Judges inside a span, and says there and in the metrics what the verdict was: codes and numbers, never texts. */
export function inValidationSpan(
  loaded: JobForValidation,
  attemptId: AttemptId,
  work: () => Promise<Judgement>,
): Promise<Judgement> {
  const { job, customerId, version } = loaded;
  const attributes = {
    [OUTCOME.jobId]: job.id,
    [OUTCOME.customerId]: customerId,
    [OUTCOME.type]: version.name,
    [OUTCOME.typeVersion]: version.version,
    [OUTCOME.attempt]: job.attempts,
    [OUTCOME.attemptId]: attemptId,
  };
  return withSpan("validate", { attributes }, async (span) => {
    const startMs = performance.now();
    const judgement = await work();
    const durationMs = performance.now() - startMs;
    if (judgement.kind === "broke") {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", "validator_broke");
      recordValidation({ outcomeType: version.name, verdict: "error", durationMs });
      return judgement;
    }
    const { id, decision, score, findings, validators } = judgement.verdict;
    span.setAttributes({ [OUTCOME.verdictId]: id, [OUTCOME.verdict]: decision, [OUTCOME.score]: score });
    span.addEvent(GEN_AI.evaluationEvent, {
      [GEN_AI.evaluationName]: validators.join(" "),
      [GEN_AI.evaluationScore]: score,
      [GEN_AI.evaluationLabel]: decision,
      [GEN_AI.evaluationExplanation]: [...new Set(findings.map((f) => f.code))].join(" "),
    });
    recordValidation({ outcomeType: version.name, verdict: decision, durationMs });
    return judgement;
  });
}
