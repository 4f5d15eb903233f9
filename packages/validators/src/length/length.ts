import type { Json } from "@contingent/core/json";
import { z } from "zod";
import { finding, quote } from "../finding.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues } from "../values.ts";

const UNITS = ["characters", "words", "lines", "items"] as const;

export interface LengthOptions extends Fields {
  readonly unit: (typeof UNITS)[number];
  readonly min: number;
  readonly max?: number | undefined;
}

/** Whether texts and lists are as long as was agreed. */
export const length: Validator<LengthOptions> = {
  name: "length",
  version: 1,
  place: "inline",
  options: z
    .strictObject({
      ...fieldsOptions,
      unit: z.enum(UNITS).default("characters"),
      min: z.int().nonnegative().default(0),
      max: z.int().nonnegative().optional(),
    })
    .refine(({ min, max }) => min > 0 || max !== undefined, 'needs "min", "max" or both')
    .refine(({ min, max }) => max === undefined || min <= max, '"min" must not be above "max"'),
  validate({ output }, options): LeafResult {
    const { unit, min, max = Infinity } = options;
    return judgeValues(output, options, ({ path, value }) => {
      const count = countOf(value, unit);
      if (count === null) {
        const kind = unit === "items" ? "list" : "text";
        return finding(path, `not_a_${kind}`, `This must be a ${kind}, and is ${quote(value)}.`);
      }
      if (count < min)
        return finding(path, "too_short", `This has ${count} ${unit}; at least ${min} are needed.`, "Write more.");
      if (count > max)
        return finding(path, "too_long", `This has ${count} ${unit}; at most ${max} are allowed.`, "Shorten it.");
      return [];
    });
  },
};

/** Null when the value has no such length. Space at the ends of a text does not count: it would be length for nothing. */
function countOf(value: Json, unit: LengthOptions["unit"]): number | null {
  if (unit === "items") return Array.isArray(value) ? value.length : null;
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (text === "") return 0;
  if (unit === "words") return text.match(/\S+/g)?.length ?? 0;
  if (unit === "lines") return text.match(/[^\r\n]*\S[^\r\n]*/g)?.length ?? 0;
  return charactersIn(text);
}

/** Code points: a character beyond the first 65,536 is one, not two. */
function charactersIn(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index++)
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}
