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
