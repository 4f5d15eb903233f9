/** What checks of single values have in common: which values they look at, and what it means that there are none. */
import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX, VALUES_MAX } from "./bounds.ts";
import { failed, finding } from "./finding.ts";
import { manyPointer, placesOf } from "./pointer.ts";
import type { LeafResult } from "./validator.ts";

const FIELDS_MAX = 50;

export interface Fields {
  /** JSON pointers into the answer. */
  readonly fields: readonly string[];
  /** Whether a value may be missing (absent or null). If not, one that is missing is a wrong one. */
  readonly optional: boolean;
}

export const fieldsOptions = {
  fields: z.array(manyPointer).min(1).max(FIELDS_MAX),
  optional: z.boolean().default(false),
};

/** A value that is there, and where. */
export interface Present {
  readonly path: string;
  readonly value: Exclude<Json, null>;
}

/**
 * The share of an answer's values that are as they should be. Nothing to look at fails the answer unless its values are
 * optional: a list that is left empty must not be worth more than one with a mistake in it.
 * @param wrongIn what is wrong with a value: a finding for each thing that is asked of it and does not hold (none: it is
 * right), or one finding by itself when it is wrong altogether
 * @param askedOfEach how many things are asked of each value
 */
export function judgeValues(
  output: Json,
  { fields, optional }: Fields,
  wrongIn: (present: Present) => Finding | readonly Finding[],
  askedOfEach = 1,
): LeafResult {
  const found = fields.map((field) => placesOf(output, field));
  const places = found.flatMap((each) => each.places);
  if (places.length > VALUES_MAX || found.some((each) => !each.complete))
    return failed(finding("", "too_many", `There are more than ${VALUES_MAX} values to check.`));
  const findings: Finding[] = [];
  let [asked, wrong] = [0, 0];
  for (const { path, value } of places) {
    const isMissing = value === undefined || value === null;
    if (isMissing && optional) continue;
    const reasons = isMissing ? missingValue(path) : wrongIn({ path, value });
    const isList = isFindings(reasons);
    asked += askedOfEach;
    wrong += isList ? reasons.length : askedOfEach;
    if (findings.length < LEAF_FINDINGS_MAX) findings.push(...(isList ? reasons : [reasons]));
  }
  if (wrong > 0) return { score: (asked - wrong) / asked, findings: findings.slice(0, LEAF_FINDINGS_MAX) };
  if (asked > 0 || optional) return { score: 1, findings: [] };
  return failed(finding(fields[0] ?? "", "nothing_to_check", "None of the fields has a value.", "Fill them in."));
}

function isFindings(reasons: Finding | readonly Finding[]): reasons is readonly Finding[] {
  return Array.isArray(reasons);
}

function missingValue(path: string): Finding {
  return finding(path, "missing_value", "There is no value here.", "Fill it in.");
}
