import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import {
  FINDING_MESSAGE_CHARACTERS_MAX,
  FINDING_PATH_CHARACTERS_MAX,
  LEAF_FINDINGS_MAX,
  QUOTE_CHARACTERS_MAX,
} from "./bounds.ts";
import type { LeafResult } from "./validator.ts";

/**
 * A finding, made safe to print and to put into the next prompt: one line, bounded, valid Unicode. Paths and messages
 * can carry names and values that the model chose.
 */
export function finding(path: string, code: string, message: string, hint?: string): Finding {
  return {
    path: oneLine(path, FINDING_PATH_CHARACTERS_MAX),
    code,
    message: oneLine(message, FINDING_MESSAGE_CHARACTERS_MAX),
    ...(hint === undefined ? {} : { hint: oneLine(hint, FINDING_MESSAGE_CHARACTERS_MAX) }),
  };
}

/** A value as a message may quote it: JSON, cut short. Arrays and objects are only named, never walked. */
export function quote(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "string" ? value.slice(0, QUOTE_CHARACTERS_MAX + 1) : value;
  const json = JSON.stringify(text);
  return json.length > QUOTE_CHARACTERS_MAX ? `${json.slice(0, QUOTE_CHARACTERS_MAX)}…` : json;
}

/** The result of a check that counted `good` of `all`: that share, with as many findings as are allowed. */
export function shareResult(good: number, all: number, findings: readonly Finding[]): LeafResult {
  return { score: all === 0 ? 0 : good / all, findings: findings.slice(0, LEAF_FINDINGS_MAX) };
}

/** The result of a check that the answer failed altogether. */
export function failed(...findings: readonly [Finding, ...Finding[]]): LeafResult {
  return { score: 0, findings: findings.slice(0, LEAF_FINDINGS_MAX) };
}

export const PASSED: LeafResult = { score: 1, findings: [] };

function oneLine(text: string, charactersMax: number): string {
  // Cut first, so that the cost does not depend on how much the model wrote.
  const head = text.slice(0, charactersMax + 1);
  const line = head.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").toWellFormed();
  return line.length > charactersMax ? `${line.slice(0, charactersMax - 1).toWellFormed()}…` : line;
}
