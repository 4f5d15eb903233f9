/**
 * From a model's text to a verdict, and the hash over what the verdict was reached from. The validator service judges
 * with it first; a verdict is checked again later, for a customer or in a dispute, by the very same code.
 */
import { createHash } from "node:crypto";
import type { Json } from "@contingent/core/json";
import type { Nanos } from "@contingent/core/money";
import { REVIEW } from "@contingent/core/job/inquire";
import { type OutcomeTypeVersion, thresholdsAt } from "@contingent/core/outcome-type";
import { dependsOnScore } from "@contingent/core/pricing/price";
import { decisionFor, type Finding, type Thresholds, type Verdict } from "@contingent/core/verdict";
import { INLINE_CHARACTERS_MAX } from "./bounds.ts";
import { evaluate, type PlacedInquiry, type SoFar } from "./evaluate.ts";
import { OUTPUT_VALIDATOR, parseOutput } from "./parse-output.ts";
import { featuresIn, valueIn } from "./outcome-value.ts";
import { validatorNamed } from "./registry.ts";
import { partsOf, type RecordedReply, repliesToLeaves, reviewIn } from "./replies.ts";
import type { RunCheck, Subject } from "./validator.ts";

/** All that a verdict depends on. */
export interface Evidence {
  readonly version: Pick<OutcomeTypeVersion, "id" | "validator" | "outputSchema" | "features" | "terms">;
  /** Index of the step of the cascade that the answer was made on: its threshold counts. */
  readonly step: number;
  readonly input: Json;
  /** The model's answer as it came. */
  readonly text: string;
  /** What was said to the inquiries about it; nothing unless given. */
  readonly replies?: readonly RecordedReply[];
}

export interface JudgedAnswer extends Verdict {
  /** The parsed answer; null when it was not JSON. */
  readonly output: Json;
  /** The number in the answer that the price depends on; null when there is none. */
  readonly value: Nanos | null;
  /** The numbers that the answer carries about itself, by the outcome type's names for them; those that are there. */
  readonly features: Readonly<Record<string, number>>;
}

/** A verdict on an answer, or what has to be asked before there can be one. */
export type Judgement =
  | { readonly kind: "verdict"; readonly verdict: JudgedAnswer }
  | { readonly kind: "inquire"; readonly leaf: PlacedInquiry; readonly soFar: SoFar; readonly subject: Subject };

/**
 * Judges an answer by its outcome type's validators: the same evidence always gets the same verdict.
 * @param run runs the checks that belong into the sandbox
 * @throws ValidatorError when the check itself cannot be made, which is no verdict
 */
export async function judgeAnswer(evidence: Evidence, run: RunCheck): Promise<Judgement> {
  const { version, step, input, text, replies = [] } = evidence;
  const parsed = parseOutput(text);
  if (!parsed.ok) return { kind: "verdict", verdict: unreadable(parsed.finding) };
  const { value: output } = parsed;
  const { price } = version.terms;
  const thresholds = thresholdsAt(version.terms, step);
  const numbers = { output, value: valueIn(output, price), features: featuresIn(output, version.features) };
  const review = reviewIn(replies);
  if (review !== null) return { kind: "verdict", verdict: { ...decidedBy(review, thresholds), ...numbers } };
  const subject = { input, output, outputSchema: version.outputSchema };
  const isLarge = text.length + JSON.stringify(input).length > INLINE_CHARACTERS_MAX;
  const sources = { run, replies: repliesToLeaves(replies), exact: dependsOnScore(price), isLarge };
  const evaluation = await evaluate(version.validator, subject, thresholds, sources);
  if (evaluation.kind === "inquire") return { ...evaluation, subject };
  return { kind: "verdict", verdict: { ...evaluation.verdict, ...numbers } };
}

/** The verdict of a person who decided in place of validators that kept breaking. */
function decidedBy(review: RecordedReply, { successAt, partialAt }: Thresholds): Verdict {
  const { validator, score, findings, durationMs } = review;
  return {
    decision: decisionFor(score, successAt, partialAt),
    score,
    findings,
    validators: [validator],
    leaves: [{ leaf: "", validator, score, durationMs }],
  };
}

function unreadable(why: Finding): JudgedAnswer {
  return {
    decision: "fail",
    score: 0,
    findings: [why],
    validators: [OUTPUT_VALIDATOR],
    leaves: [],
    output: null,
    value: null,
    features: {},
  };
}

/** SHA-256 over what a verdict was reached from, by these validators; the same evidence gives the same hash. */
export function evidenceHash(
  { version, input, text, replies = [] }: Omit<Evidence, "step">,
  validators: readonly string[],
): string {
  const parts = [version.id, JSON.stringify(input), text, ...validators, ...partsOf(replies)];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

/** What is no validator of the tree: reading the answer as JSON, and a person in the place of the whole tree. */
const UNCHANGING: ReadonlySet<string> = new Set([OUTPUT_VALIDATOR, REVIEW]);

/** Those of a verdict's validators (`name@version`) that have changed since, or are no longer there. */
export function changedSince(validators: readonly string[]): readonly string[] {
  return validators.filter((validator) => !UNCHANGING.has(validator) && validator !== asItIsNow(validator));
}

/** The `name@version` that a verdict of today would name instead; null when there is no such validator any more. */
export function asItIsNow(validator: string): string | null {
  const name = validator.replace(/@\d+$/, "");
  const registered = validatorNamed(name);
  return registered === null ? null : `${name}@${registered.version}`;
}
