/** Reviews as the API's JSON. The answer in them is a model's, and stays data. */
import type { ReviewBody, ReviewInFullBody, ReviewKind } from "@contingent/contracts/http/reviews";
import type { InquiryKind } from "@contingent/core/job/job";
import { isJsonObject } from "@contingent/core/json";
import type { ReviewInFull, ReviewView } from "@contingent/db/reviews";
import { isoTime, renderLeaf } from "../jobs/render.ts";
import type { ReviewEvidence } from "./evidence.ts";

const STATES = { replied: "decided", silence: "silent", broke: "silent", dropped: "dropped" } as const;

export function renderReview(view: ReviewView): ReviewBody {
  return {
    object: "review",
    id: view.id,
    kind: view.kind === "leaf" ? "human" : "validator_error",
    state: view.outcome === null ? "open" : STATES[view.outcome],
    job: view.jobId,
    customer: view.customerId,
    outcome_type: view.outcomeType,
    outcome_type_version: view.version,
    opened_at: isoTime(view.openedAtMs),
    due_at: isoTime(view.dueAtMs),
    remaining_ms: view.outcome === null ? Math.max(0, Math.floor(view.dueAtMs - view.nowMs)) : 0,
    decision: decisionOf(view),
  };
}

export function renderReviewInFull(review: ReviewInFull, evidence: ReviewEvidence): ReviewInFullBody {
  const { description, instructions, mayScore, output, leaves, findings, error } = evidence;
  return {
    ...renderReview(review),
    description,
    instructions,
    may_score: mayScore,
    input: review.input,
    output,
    leaves: leaves.map(renderLeaf),
    findings: [...findings],
    error,
  };
}

/** The kind as inquiries have it. */
export function kindAsked(kind: ReviewKind | undefined): InquiryKind | undefined {
  return kind === "human" ? "leaf" : kind;
}

function decisionOf({ outcome, score, findings, detail, repliedBy, endedAtMs }: ReviewView): ReviewBody["decision"] {
  if (outcome !== "replied" || score === null || endedAtMs === null) return null;
  const sent = isJsonObject(detail) ? detail : {};
  return {
    decision: sent["decision"] === "pass" ? "pass" : "fail",
    score,
    reason: typeof sent["reason"] === "string" ? sent["reason"] : "",
    findings: [...(findings ?? [])],
    decided_by: repliedBy,
    decided_at: isoTime(endedAtMs),
  };
}
