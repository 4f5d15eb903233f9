/** What a reviewer is shown besides the answer: what to look for, and what the other validators have said so far. */
import type { Json } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { Finding, LeafVerdict } from "@contingent/core/verdict";
import { suspendedJudges } from "@contingent/db/judges";
import type { ReviewInFull } from "@contingent/db/reviews";
import { human, humanOptions } from "@contingent/validators/human/human";
import type { PlacedInquiry } from "@contingent/validators/evaluate";
import { judgeAnswer } from "@contingent/validators/judge-answer";
import { inquiriesIn } from "@contingent/validators/leaves";
import { llmJudge } from "@contingent/validators/llm_judge/llm_judge";
import { parseOutput } from "@contingent/validators/parse-output";
import { ValidatorError } from "@contingent/validators/validator";
import type { IntakeContext } from "../context.ts";

/** What the reviewer is asked. */
export interface ReviewQuestion {
  readonly instructions: string;
  readonly mayScore: boolean;
}

export interface ReviewEvidence extends ReviewQuestion {
  readonly description: string;
  readonly output: Json;
  readonly leaves: readonly LeafVerdict[];
  readonly findings: readonly Finding[];
  /** Why the validators break; null: they do not. */
  readonly error: string | null;
}

const IN_PLACE_OF_VALIDATORS: ReviewQuestion = {
  instructions:
    "The validators of this outcome type cannot check the answer. Decide in their place whether it is what the outcome type promises.",
  mayScore: false,
};

export function questionOf({ kind, leaf }: ReviewInFull, { validator }: OutcomeTypeVersion): ReviewQuestion {
  if (kind === "validator_error") return IN_PLACE_OF_VALIDATORS;
  const asking = inquiriesIn(validator).find(({ path }) => path === leaf);
  const options = humanOptions.safeParse(asking?.options);
  if (asking?.validator.name !== human.name || !options.success) return { instructions: "", mayScore: false };
  return { instructions: options.data.instructions, mayScore: options.data.score };
}

export async function evidenceFor(
  { pool, versions, run }: Pick<IntakeContext, "pool" | "versions" | "run">,
  review: ReviewInFull,
): Promise<ReviewEvidence> {
  const version = await versions.get(review.versionId);
  const parsed = parseOutput(review.text);
  const shown = {
    ...questionOf(review, version),
    description: version.description,
    output: parsed.ok ? parsed.value : null,
  };
  // What was said before this review: its own result is no help to whoever decides.
  const replies = review.replies.filter(({ inquiryId }) => inquiryId !== review.id);
  try {
    const judged = await judgeAnswer(
      { version, step: review.step, input: review.input, text: review.text, replies },
      run,
    );
    const { leaves, findings } = judged.kind === "inquire" ? judged.soFar : judged.verdict;
    const isBroken = judged.kind === "inquire" && review.kind === "validator_error";
    return { ...shown, leaves, findings, error: isBroken ? await whyBroken(pool, judged.leaf, review) : null };
  } catch (error) {
    if (!(error instanceof ValidatorError)) throw error;
    return { ...shown, leaves: [], findings: [], error: error.message };
  }
}

/** Whom the verdict waits for in vain, and what came of asking. */
async function whyBroken(
  pool: IntakeContext["pool"],
  { path, validator: { name, version } }: PlacedInquiry,
  { broken, outcomeType }: ReviewInFull,
): Promise<string> {
  const validator = `${name}@${version}`;
  const suspended = name === llmJudge.name ? await suspendedJudges(pool, outcomeType, validator) : [];
  const asked = broken?.leaf === path ? (broken.error ?? "nobody replied in time") : "it could not be asked";
  const why = suspended.length === 0 ? asked : `suspended as a judge: ${suspended.join(", ")} (GET /v1/judges)`;
  return `${validator} at ${path === "" ? "the root" : path}: ${why}`;
}
