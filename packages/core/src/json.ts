/** A value that JSON can carry. Customer inputs and model outputs are this and nothing more specific. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A JSON Schema (2020-12) as data. */
export type JsonSchema = JsonObject;

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value that has no canonical form: half a surrogate pair, or a number that JSON cannot write. */
export class NotCanonicalError extends Error {
  override readonly name = "NotCanonicalError";
}

/**
 * The one text of a value (RFC 8785, JCS): equal values have equal texts, in whatever order their keys came and however
 * their numbers were written. What is hashed or signed is this text in UTF-8. Numbers and strings are written as
 * JavaScript writes them, which is what the RFC took its rules from; keys are ordered by their UTF-16 code units.
 * @throws NotCanonicalError
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "string") return canonicalString(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return `{${members.map(([key, member]) => `${canonicalString(key)}:${canonicalJson(member)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new NotCanonicalError(`${value} is no JSON number`);
  return JSON.stringify(value);
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new NotCanonicalError("a string holds half of a surrogate pair");
  return JSON.stringify(text);
}
