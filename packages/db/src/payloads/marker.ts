/**
 * What stands in the database in place of a text. A value is stored as it is, or as an object with the one key `$payload`,
 * which says what became of it:
 *
 *   {"$payload": {"sealed": "…", "key": "pky_…"}}   sealed with a key of the customer's
 *   {"$payload": {"dropped": "5d41…"}}              dropped; the SHA-256 of its canonical JSON stays. null: nobody could read it any more
 *   {"$payload": {"plain": …}}                      as it is, for it looks like one of these
 *
 * Members beside `$payload` belong to the value and are not sealed: what the database itself looks at, or adds. A column
 * of text holds the same as text.
 */
import { createHash } from "node:crypto";
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "@contingent/core/json";

const MARK = "$payload";
/** How every marker begins, written out. */
export const MARKED_TEXT = `{"${MARK}":`;

export type Marked =
  | { readonly kind: "plain"; readonly value: Json }
  | { readonly kind: "sealed"; readonly sealed: string; readonly key: string; readonly beside: JsonObject }
  | { readonly kind: "dropped"; readonly sha256: string | null; readonly beside: JsonObject };

export function markSealed(sealed: string, key: string): JsonObject {
  return { [MARK]: { sealed, key } };
}

export function markDropped(sha256: string | null): JsonObject {
  return { [MARK]: { dropped: sha256 } };
}

/** A value as it is stored when it is not sealed. */
export function markPlain(value: Json): Json {
  return isJsonObject(value) && Object.hasOwn(value, MARK) ? { [MARK]: { plain: value } } : value;
}

/** The same for a text. */
export function markPlainText(value: string): string {
  return value.startsWith(MARKED_TEXT) ? JSON.stringify({ [MARK]: { plain: value } }) : value;
}

/** @throws Error when it is a marker of a kind that there is not */
export function readMark(stored: Json): Marked {
  if (!isJsonObject(stored) || !Object.hasOwn(stored, MARK)) return { kind: "plain", value: stored };
  const { [MARK]: mark, ...beside } = stored;
  if (isJsonObject(mark)) {
    const { sealed, key, dropped, plain } = mark;
    if (plain !== undefined) return { kind: "plain", value: plain };
    if (typeof sealed === "string" && typeof key === "string") return { kind: "sealed", sealed, key, beside };
    if (dropped === null || typeof dropped === "string") return { kind: "dropped", sha256: dropped, beside };
  }
  throw new Error("a stored text is marked in a way that nobody knows");
}

/** What is kept of a value that is dropped: the hash of its canonical JSON, in hexadecimal. */
export function hashOfPayload(value: Json): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
