/** Taking JSON values apart without `any`. */
import type { Json } from "@contingent/core/json";

/** Whether the value is a list. (`Array.isArray` alone would turn a readonly list into `any[]`.) */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value that a text stands for, or undefined when it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What `JSON.parse` returns is JSON; the compiler is told so here and nowhere else. */
function isJson(parsed: unknown): parsed is Json {
  return parsed !== undefined;
}
