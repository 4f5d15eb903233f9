/**
 * A threshold that is asked for as a probability becomes a score before anything else is looked at: a version is judged by
 * the same score for ever, whatever is learnt later. Publishing the same definition again looks the score up again.
 */
import { probabilityThresholdSchema } from "@contingent/contracts/http/outcome-types";
import { isJsonObject, type Json } from "@contingent/core/json";
import type { QualityTerms } from "@contingent/core/outcome-type";
import { LABELS_MIN, thresholdFor } from "@contingent/core/quality/calibration";
import type { Pool } from "@contingent/db/pool";
import { calibrationOfAlike, type FoundCalibration } from "@contingent/ledger/quality/labels";
import { ApiError } from "../http/api-error.ts";

export interface PinnedDefinition {
  /** With a score where a probability was. */
  readonly definition: Json;
  readonly from: QualityTerms["successAtFrom"];
}

const AT = "/success_at/probability";

/** @throws ApiError insufficient_data, or invalid_outcome_type when no score is that good */
export async function pinThreshold(pool: Pool, outcomeType: string, definition: Json): Promise<PinnedDefinition> {
  if (!isJsonObject(definition)) return { definition, from: null };
  const { success_at: asked, validator, output_schema: outputSchema } = definition;
  const threshold = probabilityThresholdSchema.safeParse(asked);
  // What has another form is for the schema to refuse, and so is a definition that lacks what labels are looked up by.
  if (!threshold.success) return { definition, from: null };
  if (validator === undefined || outputSchema === undefined)
    return { definition: { ...definition, success_at: 1 }, from: null };
  const { probability } = threshold.data;
  const found = await calibrationOfAlike(pool, { outcomeType, validator, outputSchema });
  if (found.kind === "insufficient_data") throw tooFew(found);
  const { score, labels } = scoreOf(found, probability);
  return { definition: { ...definition, success_at: score }, from: { probability, version: found.version, labels } };
}

function scoreOf(
  found: Extract<FoundCalibration, { readonly kind: "found" }>,
  probability: number,
): { readonly score: number; readonly labels: number } {
  const search = thresholdFor(found.curve, probability);
  if (search.kind === "found") return { score: search.score, labels: found.labels };
  if (search.kind === "too_few_above") {
    const message = `By the calibration of version ${found.version} a score of ${shown(search.score)} would reach ${probability}, but only ${search.labels} of its ${found.labels} labelled outcomes score so high, and ${LABELS_MIN} are needed.`;
    throw insufficient(message);
  }
  const problem = {
    param: AT,
    message: `is reached by no score: by the calibration of version ${found.version} (${found.labels} labels) the most is ${shown(search.highest)}, from a score of ${shown(search.fromScore)} on`,
  };
  const message = `The outcome type would not work: ${AT} ${problem.message}. Ask for less, or improve the validator.`;
  throw new ApiError("invalid_outcome_type", message, { param: AT, problems: [problem] });
}

function tooFew({ labels, version }: Extract<FoundCalibration, { readonly kind: "insufficient_data" }>): ApiError {
  if (version === null) {
    return insufficient(
      "There are 0 labelled outcomes: no version of this outcome type has the same validator and output schema.",
    );
  }
  const message = `Version ${version} has the same validator and output schema, and ${labels} labelled ${labels === 1 ? "outcome" : "outcomes"}; ${LABELS_MIN} are needed, right and wrong ones among them.`;
  return insufficient(message);
}

function insufficient(message: string): ApiError {
  return new ApiError("insufficient_data", `${message} Give success_at as a score until then.`, { param: AT });
}

/** For people: four digits tell scores apart. */
function shown(value: number): string {
  return value.toFixed(4).replace(/\.?0+$/, "");
}
