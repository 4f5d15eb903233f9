/**
 * An outcome type's output schema as structured output takes it. The API answers 400 to much of JSON Schema (limits,
 * patterns, open objects); the SDK knows which part, and moves the rest into descriptions for the model to read. The
 * whole schema is still held against the answer afterwards: this only has to be satisfiable by every right answer.
 */
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from "@contingent/core/json";

/** A schema is the same object for every job of its outcome type version: it is prepared once. */
const prepared = new WeakMap<JsonSchema, Record<string, unknown> | "not expressible">();

/** The schema to send, or null when structured output cannot express it. */
export function sendableSchema(schema: JsonSchema): Record<string, unknown> | null {
  const known = prepared.get(schema) ?? prepare(schema);
  prepared.set(schema, known);
  return known === "not expressible" ? null : known;
}

/** What stands at the end of the system prompt instead, for a schema that structured output cannot express. */
export function schemaAsInstruction(schema: JsonSchema): string {
  return (
    "\n\nAnswer with one JSON value and nothing before or after it. It must conform to this JSON Schema:\n" +
    JSON.stringify(schema)
  );
}

function prepare(schema: JsonSchema): Record<string, unknown> | "not expressible" {
  if (isOpen(schema)) return "not expressible";
  try {
    return transformJSONSchema(withSingleTypes(schema));
  } catch {
    return "not expressible";
  }
}

/** Whether an object anywhere may have names that the schema does not list: closed, it would refuse right answers. */
function isOpen(node: Json): boolean {
  if (Array.isArray(node)) return (node as readonly Json[]).some(isOpen);
  if (!isJsonObject(node)) return false;
  const isMap = isJsonObject(node["additionalProperties"]) || node["patternProperties"] !== undefined;
  const isAnyObject = allowsObject(node["type"]) && node["properties"] === undefined;
  return isMap || isAnyObject || subschemasOf(node).some(isOpen);
}

function allowsObject(type: Json | undefined): boolean {
  return type === "object" || (Array.isArray(type) && type.includes("object"));
}

/** `{"type": ["object", "null"], "properties": …}` as a choice of two: the SDK keeps properties only of a single type. */
function withSingleTypes(node: JsonObject): JsonObject {
  const mapped = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, mapSubschemas(name, value)]));
  const { type, ...rest } = mapped;
  if (!Array.isArray(type) || !(type.includes("object") || type.includes("array"))) return mapped;
  const types: readonly Json[] = type;
  const { description, ...constraints } = rest;
  const anyOf = types.map((each): JsonObject => ({ type: each, ...keywordsFor(each, constraints) }));
  return { anyOf, ...(description === undefined ? {} : { description }) };
}

const OBJECT_KEYWORDS = new Set(["properties", "required", "additionalProperties"]);
const ARRAY_KEYWORDS = new Set(["items", "minItems", "maxItems", "prefixItems", "uniqueItems"]);

function keywordsFor(type: Json, constraints: JsonObject): JsonObject {
  const belongs = (name: string): boolean => {
    if (OBJECT_KEYWORDS.has(name)) return type === "object";
    return ARRAY_KEYWORDS.has(name) ? type === "array" : true;
  };
  return Object.fromEntries(Object.entries(constraints).filter(([name]) => belongs(name)));
}

function mapSubschemas(name: string, value: Json): Json {
  if ((name === "properties" || name === "$defs") && isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, asSchema(child)]));
  if (name === "items") return asSchema(value);
  if (["anyOf", "oneOf", "allOf"].includes(name) && Array.isArray(value))
    return (value as readonly Json[]).map(asSchema);
  return value;
}

function asSchema(value: Json): Json {
  return isJsonObject(value) ? withSingleTypes(value) : value;
}

function subschemasOf(node: JsonObject): readonly Json[] {
  const named = ["properties", "$defs"].flatMap((name) => {
    const children = node[name];
    return isJsonObject(children) ? Object.values(children) : [];
  });
  return [...named, ...["items", "anyOf", "oneOf", "allOf"].flatMap((name) => node[name] ?? [])];
}
