/**
 * A definition is compiled in the sandbox before anything of it is compiled here: schemas and patterns can be written so
 * that it takes seconds, and everybody else's requests would wait for as long.
 */
import type { Problem } from "@contingent/contracts/http/errors";
import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";
import { type Compiled, compilesQuickly, definitionCompiles } from "@contingent/validators/definition";
import { type RunCheck, ValidatorError } from "@contingent/validators/validator";
import { ApiError } from "../http/api-error.ts";

const RETRY_AFTER_S = "2";

/**
 * What of the definition takes too long to compile; nothing: it may be compiled here.
 * @throws ApiError sandbox_unavailable
 */
export async function bombsIn(run: RunCheck, definition: Json): Promise<readonly Problem[]> {
  if (!isJsonObject(definition)) return [];
  const parts: Compiled = {
    input_schema: schemaIn(definition["input_schema"]),
    output_schema: schemaIn(definition["output_schema"]),
    validator: definition["validator"] ?? null,
  };
  if (compilesQuickly(parts)) return [];
  const subject = { input: null, output: { ...parts }, outputSchema: {} };
  const { findings } = await run(definitionCompiles, subject, {}).catch((error: unknown) => {
    if (!(error instanceof ValidatorError)) throw error;
    const message = "The definition could not be compiled just now, for want of a process to do it in. Try again.";
    throw new ApiError("sandbox_unavailable", message, { headers: { "Retry-After": RETRY_AFTER_S } });
  });
  return findings.map(({ path, code, message }) =>
    code === "limits_exceeded" ? { param: "", message: EXCEEDED } : { param: path, message },
  );
}

/** It was broken off before it could be said by which part. */
const EXCEEDED =
  "takes more computing or memory to compile than an outcome type may: make its schemas, or the patterns in it, simpler";

function schemaIn(value: Json | undefined): JsonSchema | null {
  return isJsonObject(value) ? value : null;
}
