import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import type { ErrorObject } from "ajv/dist/2020.js";
import { z } from "zod";
import { LEAF_FINDINGS_MAX } from "../bounds.ts";
import { failed, finding, PASSED } from "../finding.ts";
import { join } from "../pointer.ts";
import { type LeafResult, type Validator, ValidatorError } from "../validator.ts";
import { compileSchema, schemaProblems } from "./schema.ts";

/** Answers with more values than this are checked only up to their first error. */
const THOROUGH_VALUES_MAX = 2_000;

export interface JsonSchemaOptions {
  /** The schema to hold the answer against; without it, the outcome type's output schema. */
  readonly schema?: JsonSchema | undefined;
}

const schemaOption = z
  .custom<JsonSchema>(
    (value) => typeof value === "object" && isJsonObject(value as Json),
    "must be a JSON Schema object",
  )
  .superRefine((schema, context) => {
    for (const { path, message } of schemaProblems(schema))
      context.addIssue({ code: "custom", path: path.split("/").slice(1), message });
  });

/** A gate: the answer has the shape that was sold, or it does not. */
export const jsonSchema: Validator<JsonSchemaOptions> = {
  name: "json_schema",
  version: 1,
  place: "sandbox",
  options: z.strictObject({ schema: schemaOption.optional() }),
  validate({ output, outputSchema }, options): LeafResult {
    const compilation = compileSchema(options.schema ?? outputSchema);
    if (!compilation.ok) throw new ValidatorError(`the schema ${compilation.problems[0].message}`);
    const { thorough, quick } = compilation.schema;
    const check = hasMoreValuesThan(output, THOROUGH_VALUES_MAX) ? quick() : thorough;
    if (check(output)) return PASSED;
    const [first, ...rest] = (check.errors ?? []).slice(0, LEAF_FINDINGS_MAX).map(findingOf);
    return failed(first ?? finding("", "schema", "The answer does not have the required shape."), ...rest);
  },
};

function findingOf(error: ErrorObject): Finding {
  const code = `schema_${error.keyword}`;
  const parameters = error.params as Readonly<Record<string, unknown>>;
  const missing = parameters["missingProperty"];
  if (error.keyword === "required" && typeof missing === "string")
    return finding(join(error.instancePath, missing), code, "This field is missing.", "Add it.");
  const extra = parameters["additionalProperty"] ?? parameters["unevaluatedProperty"];
  if (typeof extra === "string")
    return finding(join(error.instancePath, extra), code, "This field is not allowed here.", "Leave it out.");
  const allowed = parameters["allowedValues"];
  if (Array.isArray(allowed))
    return finding(error.instancePath, code, `The value is not one of ${JSON.stringify(allowed.slice(0, 20))}.`);
  return finding(error.instancePath, code, `The value ${error.message ?? "does not fit the schema"}.`);
}

function hasMoreValuesThan(root: Json, max: number): boolean {
  const open: Json[] = [root];
  let count = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (++count > max) return true;
    if (typeof value !== "object" || value === null) continue;
    for (const child of Object.values<Json>(value)) open.push(child);
  }
  return false;
}
