import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX, VALUES_MAX } from "../bounds.ts";
import { failed, finding, PASSED, shareResult } from "../finding.ts";
import { join, pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";

const REQUIRED_MAX = 100;
/** For looking one up. */
const STEPS_PER_FIELD = 75;

export interface FieldsCompleteOptions {
  /** Where the entities are: a list of objects, or one object. */
  readonly entities: string;
  /** Names of the fields that each entity must have; a name with a `/` in front is a pointer below the entity. */
  readonly required: readonly string[];
  /** An entity counts as complete from this share of its required fields. */
  readonly completeness_at: number;
}

/** How many of the entities have every field that is sold. */
export const fieldsComplete: Validator<FieldsCompleteOptions> = {
  name: "fields_complete",
  version: 1,
  place: "inline",
  options: z.strictObject({
    entities: pointer,
    required: z.array(z.string().min(1).max(200)).min(1).max(REQUIRED_MAX),
    completeness_at: z.number().gt(0).max(1).default(1),
  }),
  steps({ output }, { entities, required }): number {
    const list = valueAt(output, entities);
    return STEPS_PER_FIELD * required.length * (Array.isArray(list) ? list.length : 1);
  },
  validate({ output }, options): LeafResult {
    const entities = valueAt(output, options.entities);
    if (isJsonObject(entities)) return judgeOne(entities, options);
    if (!Array.isArray(entities))
      return failed(finding(options.entities, "not_a_list", "There is no list (or object) here.", "Add it."));
    if (entities.length === 0)
      return failed(finding(options.entities, "empty_list", "The list is empty.", "List every item of the input."));
    if (entities.length > VALUES_MAX)
      return failed(finding(options.entities, "too_many", `The list has more than ${VALUES_MAX} items.`));
    return judgeList(entities, options);
  },
};

/** One object: its score is the share of its fields, 1 from `completeness_at`. */
function judgeOne(entity: JsonObject, options: FieldsCompleteOptions): LeafResult {
  const missing = missingIn(entity, options);
  if (isComplete(missing, options)) return PASSED;
  return shareResult(
    options.required.length - missing.length,
    options.required.length,
    missing.map((name) => missingField(options.entities, name)),
  );
}

/** A list: its score is the share of complete entities. */
function judgeList(entities: readonly Json[], options: FieldsCompleteOptions): LeafResult {
  const findings: Finding[] = [];
  let complete = 0;
  for (const [index, entity] of entities.entries()) {
    const path = join(options.entities, index);
    if (!isJsonObject(entity)) {
      findings.push(finding(path, "not_an_object", "This item is not an object.", "Give it its fields."));
      continue;
    }
    const missing = missingIn(entity, options);
    if (isComplete(missing, options)) complete += 1;
    else if (findings.length < LEAF_FINDINGS_MAX) findings.push(...missing.map((name) => missingField(path, name)));
  }
  return shareResult(complete, entities.length, findings);
}

function isComplete(missing: readonly string[], options: FieldsCompleteOptions): boolean {
  return (options.required.length - missing.length) / options.required.length >= options.completeness_at;
}

function missingIn(entity: JsonObject, options: FieldsCompleteOptions): string[] {
  return options.required.filter((name) => isMissing(valueAt(entity, name.startsWith("/") ? name : join("", name))));
}

function isMissing(value: Json | undefined): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function missingField(entityPath: string, name: string): Finding {
  const path = name.startsWith("/") ? entityPath + name : join(entityPath, name);
  return finding(path, "missing_field", "This required field is missing or empty.", "Fill it in from the input.");
}
