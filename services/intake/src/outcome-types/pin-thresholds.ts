/**
 * Thresholds that are asked for as probabilities become scores before anything else is looked at: a version is judged by
 * the same scores for ever, whatever is learnt later. Publishing the same definition again looks them up again.
 */
import { probabilityThresholdSchema } from "@contingent/contracts/http/outcome-types";
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import type { QualityTerms } from "@contingent/core/outcome-type";
import { LABELS_MIN, thresholdFor } from "@contingent/core/quality/calibration";
import type { Pool } from "@contingent/db/pool";
import { calibrationOfAlike, type FoundCalibration } from "@contingent/ledger/quality/labels";
import { ApiError } from "../http/api-error.ts";

export interface PinnedDefinition {
  /** With scores where probabilities were. */
  readonly definition: Json;
  readonly calibratedBy: QualityTerms["calibratedBy"];
}

/** Gives the score for a probability that stands at this place. */
type Pin = (probability: number, at: string) => number;

/** @throws ApiError insufficient_data, or invalid_outcome_type when no score is that good */
export async function pinThresholds(pool: Pool, outcomeType: string, definition: Json): Promise<PinnedDefinition> {
  if (!isJsonObject(definition)) return { definition, calibratedBy: null };
  const asked: string[] = [];
  const withoutThem = withScores(definition, (_, at) => {
    asked.push(at);
    return 1;
  });
  const [first] = asked;
  const { validator, output_schema: outputSchema } = definition;
  // A definition that lacks what labels are looked up by is refused for that.
  if (first === undefined || validator === undefined || outputSchema === undefined) {
    return { definition: withoutThem, calibratedBy: null };
  }
  const found = await calibrationOfAlike(pool, { outcomeType, validator, outputSchema });
  if (found.kind === "insufficient_data") throw tooFew(found, first);
  const { version, labels } = found;
  const pinned = withScores(definition, (probability, at) => scoreOf(found, probability, at));
  return { definition: pinned, calibratedBy: { version, labels } };
}

/** The definition with its probabilities replaced. What has another form is for the schema to refuse. */
function withScores(definition: JsonObject, pin: Pin): JsonObject {
  const { cascade } = definition;
  const whole = withScore(definition, "", pin);
  if (!Array.isArray(cascade)) return whole;
  const steps = (cascade as readonly Json[]).map((step, i) =>
    isJsonObject(step) ? withScore(step, `/cascade/${i}`, pin) : step,
  );
  return { ...whole, cascade: steps };
}

function withScore(part: JsonObject, at: string, pin: Pin): JsonObject {
  const threshold = probabilityThresholdSchema.safeParse(part["success_at"]);
  if (!threshold.success) return part;
  return { ...part, success_at: pin(threshold.data.probability, `${at}/success_at/probability`) };
}

type Found = Extract<FoundCalibration, { readonly kind: "found" }>;

function scoreOf({ curve, version, labels }: Found, probability: number, at: string): number {
  const search = thresholdFor(curve, probability);
  if (search.kind === "found") return search.score;
  if (search.kind === "too_few_above") {
    const message = `By the calibration of version ${version} a score of ${shown(search.score)} would reach ${probability}, but only ${search.labels} of its ${labels} labelled outcomes score so high, and ${LABELS_MIN} are needed.`;
    throw insufficient(message, at);
  }
  const problem = {
    param: at,
    message: `is reached by no score: by the calibration of version ${version} (${labels} labels) the most is ${shown(search.highest)}, from a score of ${shown(search.fromScore)} on`,
  };
  const message = `The outcome type would not work: ${at} ${problem.message}. Ask for less, or improve the validator.`;
  throw new ApiError("invalid_outcome_type", message, { param: at, problems: [problem] });
}

function tooFew(found: Extract<FoundCalibration, { readonly kind: "insufficient_data" }>, at: string): ApiError {
  const { labels, version } = found;
  if (version === null) {
    const message =
      "There are 0 labelled outcomes: no version of this outcome type has the same validator and output schema.";
    return insufficient(message, at);
  }
  const message = `Version ${version} has the same validator and output schema, and ${labels} labelled ${labels === 1 ? "outcome" : "outcomes"}; ${LABELS_MIN} are needed, right and wrong ones among them.`;
  return insufficient(message, at);
}

function insufficient(message: string, at: string): ApiError {
  return new ApiError("insufficient_data", `${message} Give a score until then.`, { param: at });
}

/** For people: four digits tell scores apart. */
function shown(value: number): string {
  return value.toFixed(4).replace(/\.?0+$/, "");
}
