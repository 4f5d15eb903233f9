import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { OUTPUT_CHARACTERS_MAX, OUTPUT_DEPTH_MAX } from "./bounds.ts";
import { finding } from "./finding.ts";

/** What stands among a verdict's validators when the answer could not be read at all. */
export const OUTPUT_VALIDATOR = "output@1";

export type ParsedOutput =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly finding: Finding };

/**
 * Reads a model's text as JSON. Whitespace around it is the only thing tolerated: a code fence, a sentence before it or
 * a comma too many is a finding, since whoever buys the answer will parse it as strictly.
 *
 * What is read is safe to store and to walk: bounded in size and depth, only finite numbers, and no text that Postgres
 * refuses (NUL, half a surrogate pair).
 */
export function parseOutput(text: string): ParsedOutput {
  if (text.length > OUTPUT_CHARACTERS_MAX)
    return refuse(
      "output_too_large",
      `The answer has more than ${OUTPUT_CHARACTERS_MAX} characters.`,
      "Answer shorter.",
    );
  if (text.trim() === "") return refuse("output_empty", "The answer is empty.", "Answer with one JSON value.");
  // Before parsing: nothing that walks the value later has to fear its depth.
  if (depthOf(text) > OUTPUT_DEPTH_MAX)
    return refuse("output_too_deep", `The answer nests deeper than ${OUTPUT_DEPTH_MAX} levels.`, "Nest less.");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return refuse("not_json", notJson(text), "Answer with one JSON value and nothing before or after it.");
  }
  return unusableIn(value) ?? { ok: true, value };
}

/** The deepest nesting of brackets outside of strings. For text that is not JSON the number only has to be harmless. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

function notJson(text: string): string {
  const head = text.trimStart();
  if (head.startsWith("```")) return "The answer is wrapped in a code fence.";
  if (!/^[[{"\d\-tfn]/.test(head)) return "The answer does not start with JSON.";
  return "The answer is not valid JSON (cut off, or with a comma, quote or bracket too many or too few).";
}

/** A number or text in the value that cannot be stored, as a refusal; null when there is none. */
function unusableIn(root: Json): ParsedOutput | null {
  const open: Json[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "number" && !Number.isFinite(value))
      return refuse("number_out_of_range", "The answer has a number too large to read.", "Use ordinary numbers.");
    if (typeof value === "string" && !storable(value)) return badText();
    if (Array.isArray(value)) for (const item of value as readonly Json[]) open.push(item);
    else if (typeof value === "object" && value !== null)
      for (const [name, item] of Object.entries(value)) {
        if (!storable(name)) return badText();
        open.push(item);
      }
  }
  return null;
}

function storable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function badText(): ParsedOutput {
  return refuse("bad_text", "The answer has text with a NUL character or half a surrogate pair.", "Use valid Unicode.");
}

function refuse(code: string, message: string, hint: string): ParsedOutput {
  return { ok: false, finding: finding("", code, message, hint) };
}
