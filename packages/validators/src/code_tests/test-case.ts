/** Test cases as they come: the operator's in the options, others somewhere in the input or the answer. */
import { canonicalJson, isJsonObject, type Json } from "@contingent/core/json";
import { z } from "zod";
import { parseOutput } from "../parse-output.ts";
import { valueAt } from "../pointer.ts";

export interface TestCase {
  readonly args: readonly Json[];
  readonly expected: Json;
}

/** Names under which a case may carry its arguments and its expected value, the first one found counts. */
const ARGS_NAMES = ["args", "arguments", "input", "inputs"];
const EXPECTED_NAMES = ["expected", "expected_output", "output"];

const json: z.ZodType<Json> = z.json();

/** A case in the options. */
export const testCase = z.strictObject({ args: z.array(json).max(20), expected: json });

/**
 * Reads a case; null when it has no arguments or no expected value. A list is the list of the arguments, anything else the
 * only one.
 * @param asText the values are JSON as text: schemas of answers cannot say "any value"
 */
export function readCase(each: Json, asText: boolean): TestCase | null {
  if (!isJsonObject(each)) return null;
  const given = firstOf(each, ARGS_NAMES, asText);
  const expected = firstOf(each, EXPECTED_NAMES, asText);
  if (given === undefined || expected === undefined) return null;
  return { args: Array.isArray(given) ? (given as readonly Json[]) : [given], expected };
}

/** Equal for cases that call with the same arguments. */
export function keyOf({ args }: TestCase): string {
  return canonicalJson(args);
}

function firstOf(each: Json, names: readonly string[], asText: boolean): Json | undefined {
  const value = names.map((name) => valueAt(each, `/${name}`)).find((found) => found !== undefined);
  if (!asText || typeof value !== "string") return value;
  const parsed = parseOutput(value);
  return parsed.ok ? parsed.value : undefined;
}
