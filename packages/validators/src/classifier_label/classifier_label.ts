import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX, VALUES_MAX } from "../bounds.ts";
import { nothingExpected } from "../expected.ts";
import { failed, finding, quote } from "../finding.ts";
import { manyPointer, placesOf, pointer, valueAt } from "../pointer.ts";
import { foldOnce } from "../text.ts";
import type { LeafResult, Validator } from "../validator.ts";

const LABELS_MAX = 1_000;
const LABEL_CHARACTERS_MAX = 200;
const SHOWN_MAX = 8;

export interface ClassifierLabelOptions {
  /** Where the label is in the answer; with `*`: one for each item. */
  readonly label: string;
  /** The labels there are, or where the input lists them. */
  readonly labels: readonly string[] | { readonly input: string };
  /** The right label, if it is known: of the outcome type, or in the input (with `*`: one for each item, in order). */
  readonly expected?: { readonly value: string } | { readonly input: string } | undefined;
  /** A label that says "none of them, or not sure". */
  readonly abstain?: string | undefined;
  /** What an abstention is worth. */
  readonly abstain_score: number;
  readonly ignore_case: boolean;
  /** Whether findings say which label was expected, and so tell the next attempt. */
  readonly reveal_expected: boolean;
}

const label = z.string().min(1).max(LABEL_CHARACTERS_MAX);

/** Whether an answer classifies: with a label that exists, and with the right one where that is known. */
export const classifierLabel: Validator<ClassifierLabelOptions> = {
  name: "classifier_label",
  version: 1,
  place: "inline",
  options: z.strictObject({
    label: manyPointer,
    labels: z.union(
      [z.array(label).min(1).max(LABELS_MAX), z.strictObject({ input: pointer })],
      `must be a list of 1 to ${LABELS_MAX} labels, or {"input": "<pointer into the input>"}`,
    ),
    expected: z
      .union(
        [z.strictObject({ value: label }), z.strictObject({ input: manyPointer })],
        'must be {"value": "<label>"} or {"input": "<pointer into the input>"}',
      )
      .optional(),
    abstain: label.optional(),
    abstain_score: z.number().min(0).lt(1).default(0),
    ignore_case: z.boolean().default(false),
    reveal_expected: z.boolean().default(false),
  }),
  validate({ input, output }, options): LeafResult {
    const labels = "input" in options.labels ? labelsIn(valueAt(input, options.labels.input)) : options.labels;
    if (labels === null) return failed(nothingExpected("input" in options.labels ? options.labels.input : ""));
    const { places, complete } = placesOf(output, options.label);
    if (!complete) return failed(finding("", "too_many", `There are more than ${VALUES_MAX} labels to check.`));
    if (places.length === 0)
      return failed(finding(options.label, "nothing_to_check", "There is no label.", "Label every item."));
    const expected = expectedFor(places.length, input, options);
    if (!expected.ok) return failed(expected.finding);
    const judge = judgeOf(labels, options);
    const judged = places.map(({ path, value }, i) => judge(path, value, expected.labels[i] ?? null));
    // Computed from what is missing, so that all ones are exactly 1.
    const missing = judged.reduce((sum, { score }) => sum + (1 - score), 0);
    const findings = judged.flatMap((each) => (each.finding === null ? [] : [each.finding]));
    return { score: Math.max(0, 1 - missing / places.length), findings: findings.slice(0, LEAF_FINDINGS_MAX) };
  },
};

type ExpectedLabels =
  | { readonly ok: true; readonly labels: readonly (string | null)[] }
  | { readonly ok: false; readonly finding: Finding };

/** The right label of each place; null: it is not known. */
function expectedFor(count: number, input: Json, { label, expected }: ClassifierLabelOptions): ExpectedLabels {
  if (expected === undefined) return { ok: true, labels: [] };
  if ("value" in expected) return { ok: true, labels: Array.from({ length: count }, () => expected.value) };
  const { places } = placesOf(input, expected.input);
  const labels = places.flatMap(({ value }) => (isLabel(value) ? [value] : []));
  if (labels.length === 0 || labels.length < places.length)
    return { ok: false, finding: nothingExpected(expected.input) };
  if (labels.length === count) return { ok: true, labels };
  const message = `There are ${count} labels for ${labels.length} items.`;
  return {
    ok: false,
    finding: finding(label, "wrong_count", message, "Label every item of the input once, in order."),
  };
}

interface Judged {
  readonly score: number;
  readonly finding: Finding | null;
}

function judgeOf(
  labels: readonly string[],
  options: ClassifierLabelOptions,
): (path: string, value: Json | undefined, expected: string | null) => Judged {
  const same = foldOnce(options.ignore_case);
  const known = new Set(labels.map(same));
  const abstain = options.abstain === undefined ? null : same(options.abstain);
  const shown =
    labels
      .slice(0, SHOWN_MAX)
      .map((each) => quote(each))
      .join(", ") + (labels.length > SHOWN_MAX ? ", …" : "");
  return (path, value, expected) => {
    const given = isLabel(value) ? same(value) : null;
    if (given === null || !(known.has(given) || given === abstain))
      return {
        score: 0,
        finding: finding(path, "unknown_label", `${quote(value)} is not a label.`, `Labels: ${shown}`),
      };
    if (expected !== null && given === same(expected)) return { score: 1, finding: null };
    if (given === abstain)
      return {
        score: options.abstain_score,
        finding: finding(path, "abstained", "No label was chosen.", "Choose one if any fits."),
      };
    if (expected === null) return { score: 1, finding: null };
    const what = options.reveal_expected ? ` It must be ${quote(expected)}.` : "";
    return {
      score: 0,
      finding: finding(
        path,
        "wrong_label",
        `${quote(value)} is not the right label.${what}`,
        "Read the request again.",
      ),
    };
  };
}

function labelsIn(value: Json | undefined): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const items: readonly Json[] = value;
  return items.length > 0 && items.length <= LABELS_MAX && items.every(isLabel) ? items : null;
}

function isLabel(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "" && value.length <= LABEL_CHARACTERS_MAX;
}
