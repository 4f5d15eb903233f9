import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX, VALUES_MAX } from "../bounds.ts";
import { failed, finding, quote, shareResult } from "../finding.ts";
import { manyPointer, placesOf, pointer, valueAt } from "../pointer.ts";
import { charactersIn } from "../text.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { isQuoted, quotedIn, sourceText, wordsIn } from "./quotes.ts";

const FIELDS_MAX = 50;
const WORDS_MAX = 100;
/** Quotes × characters of the source: a quarter of a second of searching. */
const SEARCHED_CHARACTERS_MAX = 50_000_000;

export interface CitationsOptions {
  /** Fields of the answer whose whole value is a quote. */
  readonly quotes: readonly string[];
  /** Texts of the answer in which what stands between quotation marks is a quote. */
  readonly texts: readonly string[];
  /** Where the source is, in the input: a text, or a structure of texts. */
  readonly source: string;
  /** Fewer words are no citation: in a field they are a mistake, in a text they are let be. */
  readonly words_min: number;
  /** With fewer citations the answer fails. */
  readonly citations_min: number;
  readonly ignore_case: boolean;
}

const fields = z.array(manyPointer).max(FIELDS_MAX).default([]);

/** Whether what the answer quotes really stands in the source. */
export const citations: Validator<CitationsOptions> = {
  name: "citations",
  version: 1,
  place: "inline",
  options: z
    .strictObject({
      quotes: fields,
      texts: fields,
      source: pointer,
      words_min: z.int().min(1).max(WORDS_MAX).default(3),
      citations_min: z.int().min(1).max(VALUES_MAX).default(1),
      ignore_case: z.boolean().default(false),
    })
    .refine(({ quotes, texts }) => quotes.length + texts.length > 0, 'needs fields in "quotes", "texts" or both'),
  steps: ({ input, output }, options) =>
    (citationsIn(output, options)?.length ?? 0) * charactersIn(valueAt(input, options.source), SEARCHED_CHARACTERS_MAX),
  validate({ input, output }, options): LeafResult {
    const found = citationsIn(output, options);
    if (found === null) return failed(finding("", "too_many", `There are more than ${VALUES_MAX} quotes to look up.`));
    if (found.length < options.citations_min)
      return failed(
        finding(
          options.quotes[0] ?? options.texts[0] ?? "",
          "too_few_citations",
          `There are ${found.length} quotes of at least ${options.words_min} words; ${options.citations_min} are needed.`,
          "Quote the source word for word.",
        ),
      );
    const source = sourceText(valueAt(input, options.source), options.ignore_case);
    if (new Set(found.map(({ value }) => value)).size * source.length > SEARCHED_CHARACTERS_MAX)
      return failed(finding("", "too_much_to_search", "There are too many quotes to look up in a source this long."));
    return judge(found, source, options);
  },
};

/** A quote, and where. */
interface Citation {
  readonly path: string;
  readonly value: Json;
}

/** Every quote of the answer; null: there are too many. */
function citationsIn(output: Json, options: CitationsOptions): readonly Citation[] | null {
  const whole = options.quotes.map((field) => placesOf(output, field));
  const prose = options.texts.map((field) => placesOf(output, field));
  if ([...whole, ...prose].some(({ complete }) => !complete)) return null;
  const found: Citation[] = [];
  for (const { path, value } of whole.flatMap(({ places }) => places))
    // An absent quote quotes nothing; that it must be there is for `fields_complete` to say.
    if (value !== undefined && value !== null && value !== "") found.push({ path, value });
  for (const { path, value } of prose.flatMap(({ places }) => places)) {
    if (typeof value !== "string") continue;
    const spans = quotedIn(value, VALUES_MAX + 1).filter((text) => wordsIn(text) >= options.words_min);
    for (const text of spans) found.push({ path, value: text });
    if (found.length > VALUES_MAX) return null;
  }
  return found.length > VALUES_MAX ? null : found;
}

function judge(found: readonly Citation[], source: string, options: CitationsOptions): LeafResult {
  const known = new Map<string, boolean>();
  const findings: Finding[] = [];
  let good = 0;
  for (const { path, value } of found) {
    const problem = problemOf(path, value, options, (text) => {
      const isKnown = known.get(text) ?? isQuoted(text, source, options.ignore_case);
      known.set(text, isKnown);
      return isKnown;
    });
    if (problem === null) good += 1;
    else if (findings.length < LEAF_FINDINGS_MAX) findings.push(problem);
  }
  return shareResult(good, found.length, findings);
}

function problemOf(
  path: string,
  value: Json,
  { words_min }: CitationsOptions,
  isInSource: (text: string) => boolean,
): Finding | null {
  if (typeof value !== "string")
    return finding(path, "not_a_text", `A quote must be a text, and this is ${quote(value)}.`);
  if (wordsIn(value) < words_min)
    return finding(path, "quote_too_short", `${quote(value)} has fewer than ${words_min} words.`, "Quote more of it.");
  if (isInSource(value)) return null;
  return finding(path, "not_in_source", `${quote(value)} does not occur in the source.`, "Quote it word for word.");
}
