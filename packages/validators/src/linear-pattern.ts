import { RE2JS } from "re2js";

/**
 * A pattern in the syntax of JavaScript on an engine whose time is linear in the text. It has no look-around and no
 * back references, which cannot be matched in linear time.
 * @throws when the pattern is none, or one that the engine cannot run
 */
export function linearPattern(pattern: string, ignoreCase = false): RE2JS {
  return RE2JS.compile(RE2JS.translateRegExp(pattern), ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
}
