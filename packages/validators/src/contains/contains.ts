import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { nothingExpected } from "../expected.ts";
import { failed, finding, quote } from "../finding.ts";
import { placesOf, pointer, valueAt } from "../pointer.ts";
import { type Fold, foldOnce, occurs } from "../text.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues, type Present } from "../values.ts";

/** Searching takes as long as this × the characters of the answer. */
const VALUES_MAX = 50;
const VALUE_CHARACTERS_MAX = 1_000;
/** How many of them a finding names. */
const SHOWN_MAX = 4;

export interface ContainsOptions extends Fields {
  /** What to look for: texts of the outcome type, or texts and numbers of the input. */
  readonly values: readonly (string | { readonly input: string })[];
  readonly match: "all" | "any" | "none";
  readonly whole_words: boolean;
  readonly ignore_case: boolean;
}

/** Whether texts (or lists of texts) contain what they must, or nothing that they must not. */
export const contains: Validator<ContainsOptions> = {
  name: "contains",
  version: 1,
  place: "inline",
  options: z.strictObject({
    ...fieldsOptions,
    values: z
      .array(
        z.union(
          [z.string().min(1).max(VALUE_CHARACTERS_MAX), z.strictObject({ input: pointer })],
          'must be a text or {"input": "<pointer into the input>"}',
        ),
      )
      .min(1)
      .max(VALUES_MAX),
    match: z.enum(["all", "any", "none"]).default("all"),
    whole_words: z.boolean().default(false),
    ignore_case: z.boolean().default(false),
  }),
  steps: ({ output }, { fields, values }) =>
    values.length *
    fields
      .flatMap((field) => placesOf(output, field).places)
      .reduce((total, { value }) => total + (typeof value === "string" ? value.length : 0), 0),
  validate({ input, output }, options): LeafResult {
    const wanted: string[] = [];
    for (const value of options.values) {
      const text = typeof value === "string" ? value : textIn(valueAt(input, value.input));
      if (text === null) return failed(nothingExpected(typeof value === "string" ? "" : value.input));
      wanted.push(text);
    }
    const fold = foldOnce(options.ignore_case);
    const asked = options.match === "any" ? 1 : wanted.length;
    return judgeValues(output, options, (present) => wrongIn(present, wanted, options, fold), asked);
  },
};

/** A value of the input that can be looked for; null: there is none. */
function textIn(value: Json | undefined): string | null {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" && value.length <= VALUE_CHARACTERS_MAX ? value : null;
}

function wrongIn(
  { path, value }: Present,
  wanted: readonly string[],
  options: ContainsOptions,
  fold: Fold,
): Finding | readonly Finding[] {
  const holds = searchIn(value, options, fold);
  if (holds === null)
    return finding(path, "not_a_text", `This must be a text or a list of texts, and is ${quote(value)}.`);
  if (options.match === "none")
    return wanted
      .filter(holds)
      .map((text) => finding(path, "must_not_contain", `This contains ${quote(text)}.`, "Leave it out."));
  const missing = wanted.filter((text) => !holds(text));
  if (options.match === "all")
    return missing.map((text) => finding(path, "does_not_contain", `This does not contain ${quote(text)}.`));
  if (missing.length < wanted.length) return [];
  const shown = wanted.slice(0, SHOWN_MAX).map((text) => quote(text));
  return finding(path, "does_not_contain", `This contains none of ${shown.join(", ")}.`);
}

/** Whether a text of that kind is in the value; null: the value is nothing that contains texts. */
function searchIn(value: Json, { whole_words }: ContainsOptions, fold: Fold): ((text: string) => boolean) | null {
  if (typeof value === "string") {
    const text = fold(value);
    return (wanted) => occurs(text, fold(wanted), whole_words);
  }
  if (!Array.isArray(value)) return null;
  const items = new Set(value.map((item: Json) => (typeof item === "string" ? fold(item) : item)));
  return (wanted) => items.has(fold(wanted));
}
