/**
 * The part of JSON Schema that structured output takes. The API answers 400 to the rest, so a client that sends an
 * outcome type's schema as it stands must find out here and not on its first day with a real key. (The SDK's
 * `transformJSONSchema` moves such keywords into the description.)
 */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../json.ts";
import { invalidRequest } from "./errors.ts";

const UNSUPPORTED = new Set([
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "maxItems",
  "uniqueItems",
  "minProperties",
  "maxProperties",
  "patternProperties",
]);
const DEPTH_MAX = 32;

/** Throws the API's 400 for a schema that structured output does not take. */
export function checkOutputSchema(schema: JsonObject): void {
  check(schema, "output_config.format.schema", 0);
}

function check(schema: Json | undefined, path: string, depth: number): void {
  if (!isJsonObject(schema)) return;
  if (depth > DEPTH_MAX) throw invalidRequest(`${path}: the schema is nested deeper than ${DEPTH_MAX} levels`);
  for (const keyword of Object.keys(schema)) {
    if (UNSUPPORTED.has(keyword)) {
      throw invalidRequest(`${path}: For '${typeName(schema)}' type, property '${keyword}' is not supported`);
    }
  }
  const minItems = schema["minItems"];
  if (typeof minItems === "number" && minItems > 1) {
    throw invalidRequest(`${path}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  }
  const isObject = schema["type"] === "object" || schema["properties"] !== undefined;
  if (isObject && schema["additionalProperties"] !== false) {
    throw invalidRequest(`${path}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
  }
  for (const key of ["properties", "$defs"]) {
    const children = schema[key];
    if (!isJsonObject(children)) continue;
    for (const [name, child] of Object.entries(children)) check(child, `${path}.${key}.${name}`, depth + 1);
  }
  check(schema["items"], `${path}.items`, depth + 1);
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const children = schema[key];
    if (!isList(children)) continue;
    for (const [i, child] of children.entries()) check(child, `${path}.${key}.${i}`, depth + 1);
  }
}

function typeName(schema: JsonObject): string {
  const type = schema["type"];
  return typeof type === "string" ? type : JSON.stringify(type ?? "any");
}
