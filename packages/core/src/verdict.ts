/** What a validator found. */

/** One located reason why an answer is not good enough. It is rendered into the next attempt's prompt. */
export interface Finding {
  /** Where, as a JSON pointer into the output (`/line_items/2/amount`); `""` is the whole output. */
  readonly path: string;
  /** What, as a stable code: `missing_field`, `sum_mismatch`. */
  readonly code: string;
  readonly message: string;
  /** What to do about it, if the validator knows. */
  readonly hint?: string;
}

export type Decision = "pass" | "partial" | "fail";

/** What one leaf of the validator tree had to say. */
export interface LeafVerdict {
  /** Where the leaf is in the tree, as a JSON pointer: `""`, `/all/1`, `/weighted/0/of`. */
  readonly leaf: string;
  /** `name@version`. */
  readonly validator: string;
  /** 0 to 1. */
  readonly score: number;
  readonly durationMs: number;
}

/** A validator's decision on one answer. That the validator itself broke is not a verdict. */
export interface Verdict {
  readonly decision: Decision;
  /** 0 to 1. */
  readonly score: number;
  readonly findings: readonly Finding[];
  /** `name@version` of every leaf that had a say. */
  readonly validators: readonly string[];
  /** What each of them said, in the order in which they were asked. */
  readonly leaves: readonly LeafVerdict[];
}

/** From which score on an answer is a success, and from which on a partial one; null: there is no partial outcome. */
export interface Thresholds {
  readonly successAt: number;
  readonly partialAt: number | null;
}

/** The decision that a score means under the type's thresholds. A gate that failed makes it `fail` whatever the score. */
export function decisionFor(score: number, successAt: number, partialAt: number | null): Decision {
  // A gate scores 0. It must not pass under a threshold that somebody set to 0.
  if (score <= 0) return "fail";
  if (score >= successAt) return "pass";
  return partialAt !== null && score >= partialAt ? "partial" : "fail";
}

/** More than these are only counted in the next prompt. */
export const FINDINGS_IN_FEEDBACK_MAX = 20;
const FINDING_CHARACTERS_MAX = 300;
const REJECTED_BY_CUSTOMER = "rejected_by_customer";
/** A customer's reason is shown whole: nobody but them can say what the validator did not see. */
export const REJECTION_CHARACTERS_MAX = 2_000;

/**
 * Why a customer rejected an outcome, as feedback. It is somebody else's text: one line of it, so that it cannot be taken
 * for further findings.
 */
export function rejectionFinding(reason: string): Finding {
  const message = reason.replaceAll(/\s+/g, " ").trim().slice(0, REJECTION_CHARACTERS_MAX);
  return { path: "", code: REJECTED_BY_CUSTOMER, message };
}

/**
 * Findings as the text that the next attempt's prompt ends with. Only findings: never the rejected output itself,
 * which is untrusted text. Bounded, so that feedback cannot eat the cost cap.
 */
export function renderFeedback(findings: readonly Finding[]): string {
  const lines = findings.slice(0, FINDINGS_IN_FEEDBACK_MAX).map((f) => {
    const hint = f.hint === undefined ? "" : ` ${f.hint}`;
    const line = `- ${f.path === "" ? "(whole answer)" : f.path} [${f.code}]: ${f.message}${hint}`;
    // The cut may halve a surrogate pair, which the model API refuses.
    return line.slice(0, f.code === REJECTED_BY_CUSTOMER ? undefined : FINDING_CHARACTERS_MAX).toWellFormed();
  });
  const more = findings.length - lines.length;
  if (more > 0) lines.push(`- and ${more} more of the same kinds`);
  return [
    "A previous answer to this request was rejected. Correct these findings and answer again in full:",
    ...lines,
  ].join("\n");
}
