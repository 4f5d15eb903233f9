/** Whether a job's input fits its outcome type. */
import type { Problem } from "@contingent/contracts/http/errors";
import type { Json } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { type CompiledSchema, compileSchema } from "@contingent/validators/json_schema/schema";

/** Versions are kept in one bounded map as long as they are used, and what was compiled for them with them. */
const compiled = new WeakMap<OutcomeTypeVersion, CompiledSchema>();
const PROBLEMS_MAX = 20;

/** What is wrong with the input; nothing, if it fits. Paths point into the request's body. */
export function inputProblems(version: OutcomeTypeVersion, input: Json): readonly Problem[] {
  const validate = schemaOf(version).quick();
  if (validate(input)) return [];
  const { thorough } = schemaOf(version);
  thorough(input);
  return (thorough.errors ?? []).slice(0, PROBLEMS_MAX).map((error) => ({
    param: `/input${error.instancePath}`,
    message: messageOf(error),
  }));
}

function messageOf(error: { readonly message?: string | undefined; readonly params: object }): string {
  const text = error.message ?? "does not fit the schema";
  if ("additionalProperty" in error.params) return `${text}: remove "${String(error.params.additionalProperty)}"`;
  if ("allowedValues" in error.params) return `${text}: ${JSON.stringify(error.params.allowedValues)}`;
  return text;
}

function schemaOf(version: OutcomeTypeVersion): CompiledSchema {
  const known = compiled.get(version);
  if (known !== undefined) return known;
  const compilation = compileSchema(version.inputSchema);
  if (!compilation.ok) throw new Error(`the input schema of ${version.id} does not compile any more`);
  compiled.set(version, compilation.schema);
  return compilation.schema;
}
