import { z } from "zod";
import { decimalOf, NOUGHT } from "../decimal.ts";
import { type Expected, expectedOf, expectedOption, nothingExpected } from "../expected.ts";
import { failed, finding, PASSED, shareResult } from "../finding.ts";
import { manyPointer, pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { Comparison, COMPARED_MAX } from "./comparison.ts";

const PATHS_MAX = 50;
/** Lists without an order are written out once more on each level on which there are any; every path is held against every value. */
const STEPS_PER_UNORDERED = 1_500_000;
const STEPS_PER_IGNORED = 100_000;

export interface JsonDiffOptions {
  /** What of the answer is compared. */
  readonly field: string;
  readonly expected: Expected;
  /** Pointers below the compared value that do not count. */
  readonly ignore: readonly string[];
  /** Lists whose order means nothing. */
  readonly unordered: readonly string[];
  /** The largest difference between two numbers that are still the same. */
  readonly tolerance: number;
  readonly ignore_case: boolean;
  /** Whether what nobody expected is a difference, or is let be. */
  readonly extra: "differs" | "ignored";
  /** Whether findings say what was expected, and so tell the next attempt. */
  readonly reveal_expected: boolean;
}

const paths = z.array(manyPointer.min(1)).max(PATHS_MAX).default([]);

/** Which share of an expected value the answer has, leaf by leaf. */
export const jsonDiff: Validator<JsonDiffOptions> = {
  name: "json_diff",
  version: 1,
  place: "inline",
  options: z.strictObject({
    field: pointer.default(""),
    expected: expectedOption,
    ignore: paths,
    unordered: z.array(manyPointer).max(PATHS_MAX).default([]),
    tolerance: z.number().nonnegative().max(1_000_000).default(0),
    ignore_case: z.boolean().default(false),
    extra: z.enum(["differs", "ignored"]).default("differs"),
    reveal_expected: z.boolean().default(false),
  }),
  steps: (_, { ignore, unordered }) => STEPS_PER_UNORDERED * unordered.length + STEPS_PER_IGNORED * ignore.length,
  validate({ input, output }, options): LeafResult {
    const expected = expectedOf(options.expected, input);
    if (expected === undefined)
      return failed(nothingExpected("input" in options.expected ? options.expected.input : ""));
    const comparison = new Comparison({ ...options, tolerance: decimalOf(options.tolerance) ?? NOUGHT });
    const { agreeing, all, findings } = comparison.compare(expected, valueAt(output, options.field));
    if (comparison.isExhausted)
      return failed(
        finding(options.field, "too_much_to_compare", `There are more than ${COMPARED_MAX} values to compare.`),
      );
    if (all === 0)
      return failed(finding(options.field, "nothing_to_check", "Everything that is expected here is ignored."));
    return agreeing === all ? PASSED : shareResult(agreeing, all, findings);
  },
};
