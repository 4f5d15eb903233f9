import { isJsonObject, type Json } from "@contingent/core/json";

const REPLACEMENT = "\uFFFD";

/** Text that Postgres can keep: NUL characters and lone surrogates, which models and customers can produce, are replaced. */
export function storableText(text: string): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", REPLACEMENT) : wellFormed;
}

/** The same for every string and key of a JSON value. */
export function storableJson(value: Json): Json {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storableJson);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [storableText(key), storableJson(v)]));
}

/** JSON writes what Postgres cannot keep as escapes: by these the rare text that has any is known. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/;

/** A value as JSON text that can become `jsonb`, replaced in where it must be. */
export function storableJsonText(value: Json): string {
  const text = JSON.stringify(value);
  return UNSTORABLE.test(text) ? JSON.stringify(storableJson(value)) : text;
}
