import { z } from "zod";
import { type Expected, expectedOf, anyJson, nothingExpected } from "../expected.ts";
import { failed, finding, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import { foldOnce } from "../text.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues } from "../values.ts";
import { isSame } from "./same.ts";

export interface EqualsOptions extends Fields {
  /** A value of the outcome type, of the input, or one elsewhere in the answer. */
  readonly expected: Expected | { readonly output: string };
  readonly ignore_case: boolean;
  /** Whether findings say what was expected, and so tell the next attempt. */
  readonly reveal_expected: boolean;
}

/** Whether values are the one that they must be. */
export const equals: Validator<EqualsOptions> = {
  name: "equals",
  version: 1,
  place: "inline",
  options: z.strictObject({
    ...fieldsOptions,
    expected: z.union(
      [z.strictObject({ value: anyJson }), z.strictObject({ input: pointer }), z.strictObject({ output: pointer })],
      'must be {"value": …}, {"input": "<pointer into the input>"} or {"output": "<pointer into the answer>"}',
    ),
    ignore_case: z.boolean().default(false),
    reveal_expected: z.boolean().default(false),
  }),
  validate({ input, output }, options): LeafResult {
    const { expected } = options;
    const other = "output" in expected ? valueAt(output, expected.output) : expectedOf(expected, input);
    if (other === undefined)
      return failed(
        "output" in expected
          ? finding(expected.output, "missing_value", "There is no value here.", "Fill it in.")
          : nothingExpected("input" in expected ? expected.input : ""),
      );
    // What stands in the answer is no secret.
    const fold = foldOnce(options.ignore_case);
    const reveals = options.reveal_expected || "output" in expected;
    return judgeValues(output, options, ({ path, value }) => {
      if (isSame(value, other, fold)) return [];
      const what = reveals ? `This must be ${quote(other)}, and is ${quote(value)}.` : `${quote(value)} is not right.`;
      return finding(path, "not_equal", what, "Read the request again.");
    });
  },
};
