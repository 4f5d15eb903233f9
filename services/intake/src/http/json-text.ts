/**
 * Reads JSON that somebody else wrote. Valid JSON is not enough: what passes here can be walked recursively, means the
 * same to every program, and can be stored by Postgres.
 */
import type { Json } from "@contingent/core/json";
import { ApiError } from "./api-error.ts";

export const JSON_DEPTH_MAX = 64;

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = "\\";

/**
 * The value that the bytes mean.
 * @throws ApiError malformed_json, json_too_deep, duplicate_field or unusable_text
 */
export function readJson(bytes: Uint8Array): Json {
  const text = decode(bytes);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new ApiError("malformed_json", `The body is not JSON${placeOf(error)}. Check quotes, commas and brackets.`);
  }
  inspect(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError("malformed_json", "The body is not UTF-8 text. Encode it as UTF-8.");
  }
}

/** The parser's own message quotes the body; of it only the place is kept. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? /\(line \d+ column \d+\)|at position \d+/.exec(error.message) : null;
  return place === null ? "" : ` ${place[0]}`;
}

interface Level {
  /** Null: an array. */
  readonly keys: Set<string> | null;
  /** Key of the member at which the scan is; of an array its index. */
  at: string | number;
}

/** One pass over text that is known to be JSON. */
function inspect(text: string): void {
  const levels: Level[] = [];
  let keyExpected = false;
  for (let i = 0; i < text.length; i += 1) {
    switch (text[i]) {
      case "{":
      case "[": {
        const isObject = text[i] === "{";
        levels.push({ keys: isObject ? new Set() : null, at: isObject ? "" : 0 });
        keyExpected = isObject;
        if (levels.length > JSON_DEPTH_MAX) throw tooDeep(levels);
        break;
      }
      case "}":
      case "]":
        levels.pop();
        keyExpected = false;
        break;
      case ",":
        keyExpected = advance(levels.at(-1));
        break;
      case '"': {
        const end = endOfString(text, i);
        const content = contentOf(text.slice(i, end + 1), levels);
        if (keyExpected) enter(levels, content);
        keyExpected = false;
        i = end;
        break;
      }
      default:
        i = endOfNumber(text, i, levels);
    }
  }
}

/** @returns whether a key comes next */
function advance(level: Level | undefined): boolean {
  if (level === undefined) return false;
  if (typeof level.at === "number") level.at += 1;
  return level.keys !== null;
}

function enter(levels: readonly Level[], key: string): void {
  const level = levels.at(-1);
  if (level === undefined || level.keys === null) return;
  level.at = key;
  if (level.keys.has(key)) {
    const param = pointerTo(levels);
    throw new ApiError("duplicate_field", `The field ${param} is there twice. Remove one of the two.`, { param });
  }
  level.keys.add(key);
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i += 1) {
    if (text[i] === '"') return i;
    if (text[i] === ESCAPE) i += 1;
  }
}

/** Without escapes the text cannot hold anything that UTF-8 cannot; with them it can. */
function contentOf(quoted: string, levels: readonly Level[]): string {
  if (!quoted.includes(ESCAPE)) return quoted.slice(1, -1);
  const content = JSON.parse(quoted) as string;
  if (content.includes("\0") || !content.isWellFormed()) {
    const param = pointerTo(levels);
    const message = `The text at ${param} holds a NUL character or half of a surrogate pair. Remove or replace it.`;
    throw new ApiError("unusable_text", message, { param });
  }
  return content;
}

/** @returns the index of the number's last character, or the same index when there is no number */
function endOfNumber(text: string, start: number, levels: readonly Level[]): number {
  NUMBER.lastIndex = start;
  const number = NUMBER.exec(text)?.[0];
  if (number === undefined) return start;
  if (!Number.isFinite(Number(number))) {
    const param = pointerTo(levels);
    throw new ApiError("unusable_text", `The number at ${param} is too large. Send it as a string.`, { param });
  }
  return start + number.length - 1;
}

function tooDeep(levels: readonly Level[]): ApiError {
  const message = `The body nests deeper than ${JSON_DEPTH_MAX} levels. Flatten it, or send the deep part as a string.`;
  return new ApiError("json_too_deep", message, { param: pointerTo(levels.slice(0, 4)) });
}

function pointerTo(levels: readonly Level[]): string {
  return levels.map(({ at }) => `/${String(at).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
