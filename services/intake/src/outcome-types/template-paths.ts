/** Which parts of a value a schema knows: whoever reads another one would always read nothing. */
import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";

/** A schema may lead through this many references and alternatives on the way to one property. */
const STEPS_MAX = 1_000;

/** Whether values of this schema may have something at the path. */
export function schemaKnows(schema: JsonSchema, path: readonly string[]): boolean {
  return schemasAt(schema, path).length > 0;
}

/** All that the schema says of what is at the path; nothing when there can be nothing. Does not look into lists. */
export function schemasAt(schema: JsonSchema, path: readonly string[]): readonly Json[] {
  let places: readonly Json[] = alternatives(schema, [schema]);
  for (const name of path) {
    places = alternatives(
      schema,
      places.flatMap((place) => memberOf(place, name)),
    );
  }
  return places;
}

/** The schemas themselves, and all that they refer to or combine. */
function alternatives(root: JsonSchema, schemas: readonly Json[]): readonly Json[] {
  const found = new Set<Json>();
  const open = [...schemas];
  for (let schema = open.pop(); schema !== undefined && found.size < STEPS_MAX; schema = open.pop()) {
    if (found.has(schema)) continue;
    found.add(schema);
    if (!isJsonObject(schema)) continue;
    const reference = typeof schema["$ref"] === "string" ? resolve(root, schema["$ref"]) : undefined;
    if (reference !== undefined) open.push(reference);
    for (const keyword of ["allOf", "anyOf", "oneOf"]) {
      const members = schema[keyword];
      if (Array.isArray(members)) open.push(...(members as readonly Json[]));
    }
    for (const keyword of ["if", "then", "else"]) {
      const member = schema[keyword];
      if (member !== undefined) open.push(member);
    }
  }
  return [...found];
}

function memberOf(schema: Json, name: string): readonly Json[] {
  if (!isJsonObject(schema)) return [];
  const { properties, additionalProperties } = schema;
  if (isJsonObject(properties) && Object.hasOwn(properties, name)) return [properties[name] ?? null];
  return isJsonObject(additionalProperties) ? [additionalProperties] : [];
}

function resolve(root: JsonSchema, reference: string): Json | undefined {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  return reference
    .slice(2)
    .split("/")
    .map((part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<Json | undefined>((at, part) => {
      if (Array.isArray(at)) return (at as readonly Json[])[Number(part)];
      return isJsonObject(at) && Object.hasOwn(at, part) ? at[part] : undefined;
    }, root);
}
