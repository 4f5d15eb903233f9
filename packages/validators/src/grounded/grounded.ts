import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { VALUES_MAX } from "../bounds.ts";
import { failed, finding, quote, shareResult } from "../finding.ts";
import { manyPointer, placesOf, pointer, valueAt } from "../pointer.ts";
import { charactersIn } from "../text.ts";
import type { LeafResult, Subject, Validator } from "../validator.ts";
import { mentions, type Source, sourceOf } from "./source.ts";

const FIELDS_MAX = 50;
/** Characters of one value that is looked up; nothing that long is a field. */
const VALUE_CHARACTERS_MAX = 2_000;
/** Distinct values × characters of the source: a quarter of a second of searching. */
const SEARCHED_CHARACTERS_MAX = 50_000_000;

export interface GroundedOptions {
  /** Fields of the answer whose values must come from the source. */
  readonly fields: readonly string[];
  /** Where the source is, in the input: a text, or a structure of texts. */
  readonly source: string;
}

/** Whether the values of the answer really occur in the text that they are said to come from. */
export const grounded: Validator<GroundedOptions> = {
  name: "grounded",
  version: 2,
  place: "inline",
  options: z.strictObject({ fields: z.array(manyPointer).min(1).max(FIELDS_MAX), source: pointer }),
  steps: ({ input, output }, { fields, source }) =>
    fields.reduce((total, field) => total + placesOf(output, field).places.length, 0) *
    charactersIn(valueAt(input, source), SEARCHED_CHARACTERS_MAX),
  validate(subject, options): LeafResult {
    const source = sourceFor(subject, options.source);
    const { output } = subject;
    const found = options.fields.map((field) => placesOf(output, field));
    // An absent value claims nothing; that it must be there is for `fields_complete` to say.
    const places = found
      .flatMap((each) => each.places)
      .filter(({ value }) => value !== undefined && value !== null && value !== "");
    if (places.length > VALUES_MAX || found.some((each) => !each.complete))
      return failed(finding("", "too_many", `There are more than ${VALUES_MAX} values to look up.`));
    if (places.length === 0)
      return failed(
        finding(options.fields[0] ?? "", "nothing_to_check", "None of the fields has a value.", "Fill them in."),
      );
    const distinct = new Set(places.map((place) => place.value));
    if (distinct.size * source.text.length > SEARCHED_CHARACTERS_MAX)
      return failed(finding("", "too_much_to_search", "There are too many values to look up in a source this long."));
    const mentioned = new Map<Json | undefined, boolean>();
    const findings: Finding[] = [];
    for (const { path, value } of places) {
      const isMentioned = mentioned.get(value) ?? isIn(source, value);
      mentioned.set(value, isMentioned);
      if (!isMentioned) findings.push(notFound(path, value));
    }
    return shareResult(places.length - findings.length, places.length, findings);
  },
};

/** Several checks of one answer look into the same source; reading it costs more than looking things up. */
const sources = new WeakMap<Subject, Map<string, Source>>();

function sourceFor(subject: Subject, at: string): Source {
  const known = sources.get(subject) ?? new Map<string, Source>();
  const source = known.get(at) ?? sourceOf(valueAt(subject.input, at));
  sources.set(subject, known.set(at, source));
  return source;
}

function isIn(source: Source, value: Json | undefined): boolean {
  if (typeof value === "string" && value.length > VALUE_CHARACTERS_MAX) return false;
  return (typeof value === "string" || typeof value === "number") && mentions(source, value);
}

function notFound(path: string, value: Json | undefined): Finding {
  if (typeof value !== "string" && typeof value !== "number")
    return finding(path, "not_a_value", `This must be a text or a number, and is ${quote(value)}.`);
  return finding(path, "not_in_source", `${quote(value)} does not occur in the source.`, "Copy it from the source.");
}
