import { z } from "zod";
import { compare, type Decimal, decimalOf, isWhole, textOf } from "../decimal.ts";
import { nothingExpected } from "../expected.ts";
import { failed, finding, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues } from "../values.ts";

/** A bound: a number, the same as a decimal text (`"0.10"`), or where the input has one. */
type Bound = number | string | { readonly input: string };

const BOUNDS = ["min", "above", "max", "below"] as const;
type BoundName = (typeof BOUNDS)[number];

export interface NumericRangeOptions extends Fields, Readonly<Partial<Record<BoundName, Bound | undefined>>> {
  readonly whole: boolean;
}

const bound: z.ZodType<Bound> = z.union(
  [z.union([z.number(), z.string()]).refine((value) => decimalOf(value) !== null), z.strictObject({ input: pointer })],
  'must be a number, a decimal text such as "0.10", or {"input": "<pointer into the input>"}',
);

/** Whether numbers lie where they must. They are compared as decimals, digit by digit. */
export const numericRange: Validator<NumericRangeOptions> = {
  name: "numeric_range",
  version: 1,
  place: "inline",
  options: z
    .strictObject({
      ...fieldsOptions,
      min: bound.optional(),
      above: bound.optional(),
      max: bound.optional(),
      below: bound.optional(),
      whole: z.boolean().default(false),
    })
    .refine((options) => options.whole || BOUNDS.some((name) => options[name] !== undefined), {
      message: 'needs at least one of "min", "above", "max", "below" and "whole"',
    }),
  validate({ input, output }, options): LeafResult {
    const bounds: (readonly [BoundName, Decimal])[] = [];
    for (const name of BOUNDS) {
      const given = options[name];
      if (given === undefined) continue;
      const value = decimalOf(typeof given === "object" ? valueAt(input, given.input) : given);
      if (value === null) return failed(nothingExpected(typeof given === "object" ? given.input : ""));
      bounds.push([name, value]);
    }
    return judgeValues(output, options, ({ path, value }) => {
      const number = decimalOf(value);
      if (number === null) {
        const message = `This must be a number, and is ${quote(value)}.`;
        return finding(path, "not_a_number", message, "Write it without currency, unit or thousands separator.");
      }
      if (options.whole && !isWhole(number))
        return finding(path, "not_whole", `This must be a whole number, and is ${quote(value)}.`);
      const broken = bounds.find(([name, limit]) => !HOLDS[name](compare(number, limit)));
      if (broken === undefined) return [];
      const [name, limit] = broken;
      const code = name === "min" || name === "above" ? "too_small" : "too_large";
      return finding(path, code, `This is ${quote(value)}, and must be ${WORDS[name]} ${short(textOf(limit))}.`);
    });
  },
};

const HOLDS: Readonly<Record<BoundName, (order: number) => boolean>> = {
  min: (order) => order >= 0,
  above: (order) => order > 0,
  max: (order) => order <= 0,
  below: (order) => order < 0,
};

const WORDS: Readonly<Record<BoundName, string>> = { min: "at least", above: "above", max: "at most", below: "below" };

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
