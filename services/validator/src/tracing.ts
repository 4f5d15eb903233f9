/** The spans of reaching a verdict, with the verdict as a GenAI evaluation event, and of asking somebody for it. */
import type { OpenInquiry } from "@contingent/core/job/job";
import { GEN_AI, OUTCOME } from "@contingent/runtime/attributes";
import { recordInquiry, recordValidation } from "@contingent/runtime/metrics";
import { withSpan } from "@contingent/runtime/tracing";
import type { Reply } from "@contingent/validators/inquiry";
import { type Attributes, SpanStatusCode } from "@opentelemetry/api";
import type { Judgement } from "./judge.ts";
import type { Judging } from "./judging.ts";

/** Judges inside a span, and says there and in the metrics what the verdict was: codes and numbers, never texts. */
export function inValidationSpan(judging: Judging, work: () => Promise<Judgement>): Promise<Judgement> {
  const { version } = judging;
  return withSpan("validate", { attributes: attributesOf(judging) }, async (span) => {
    const startMs = performance.now();
    const judgement = await work();
    const durationMs = performance.now() - startMs;
    if (judgement.kind === "inquire") {
      span.setAttribute(OUTCOME.verdict, "open");
      return judgement;
    }
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

/** Asks inside a span, and says there and in the metrics what came of it. */
export function inInquirySpan(judging: Judging, inquiry: OpenInquiry, ask: () => Promise<Reply>): Promise<Reply> {
  const { inquiryId, leaf, validator, asked } = inquiry;
  const attributes = {
    ...attributesOf(judging),
    [OUTCOME.inquiryId]: inquiryId,
    [OUTCOME.inquiryLeaf]: leaf,
    [OUTCOME.inquiryValidator]: validator,
    [OUTCOME.inquiryAsked]: asked,
  };
  return withSpan(`inquire ${asked}`, { attributes }, async (span) => {
    const startMs = performance.now();
    const reply = await ask();
    const durationMs = performance.now() - startMs;
    span.setAttribute(OUTCOME.inquiryResult, reply.kind);
    if (reply.kind === "answered") span.setAttribute(OUTCOME.score, reply.result.score);
    if (reply.kind !== "pending" && reply.cost !== null) span.setAttribute(OUTCOME.costNanos, Number(reply.cost));
    if (reply.kind === "broke") {
      span.setStatus({ code: SpanStatusCode.ERROR });
      span.setAttribute("error.type", "no_reply");
    }
    recordInquiry({ outcomeType: judging.version.name, validator, result: reply.kind, durationMs });
    return reply;
  });
}

function attributesOf({ job, customerId, version, answer }: Judging): Attributes {
  return {
    [OUTCOME.jobId]: job.id,
    [OUTCOME.customerId]: customerId,
    [OUTCOME.type]: version.name,
    [OUTCOME.typeVersion]: version.version,
    [OUTCOME.attempt]: job.attempts,
    [OUTCOME.attemptId]: answer.attemptId,
  };
}
