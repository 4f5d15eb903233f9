/**
 * What an answer is held against: a value of the outcome type, or one that came with the request.
 *
 * Findings become the next attempt's prompt, so they do not say what was expected unless the type reveals it: an answer
 * that was told beforehand shows nothing.
 */
import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { finding, quote } from "./finding.ts";
import { pointer, valueAt } from "./pointer.ts";

export type Expected = { readonly value: Json } | { readonly input: string };

/** Any JSON: options come out of JSON, where nothing else can be. */
export const anyJson = z.custom<Json>((value) => value !== undefined, "is missing");

export const expectedOption: z.ZodType<Expected> = z.union(
  [z.strictObject({ value: anyJson }), z.strictObject({ input: pointer })],
  'must be {"value": …} or {"input": "<pointer into the input>"}',
);

export function expectedOf(expected: Expected, input: Json): Json | undefined {
  return "value" in expected ? expected.value : valueAt(input, expected.input);
}

/** The input lacks what the answer is to be held against: that can never pass. */
export function nothingExpected(at: string): Finding {
  return finding("", "nothing_expected", `The input has nothing usable at ${quote(at)} to hold the answer against.`);
}
