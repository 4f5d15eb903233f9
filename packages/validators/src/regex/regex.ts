import { z } from "zod";
import { finding, quote } from "../finding.ts";
import { linearPattern } from "../linear-pattern.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues } from "../values.ts";

const PATTERN_CHARACTERS_MAX = 500;
/** Instructions of the compiled pattern: `(\w+\s?){1,200}` has 1,400. */
const PROGRAM_MAX = 2_000;
/** Instructions × characters: matching this much takes about half a second at worst. */
const STEPS_MAX = 20_000_000;

export interface RegexOptions extends Fields {
  readonly pattern: string;
  /** Whether the pattern must describe the whole text, occur in it, or not occur in it. */
  readonly match: "whole" | "part" | "none";
  readonly ignore_case: boolean;
}

const pattern = z
  .string()
  .min(1)
  .max(PATTERN_CHARACTERS_MAX)
  .superRefine((text, context) => {
    const problem = problemOf(text);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  });

/** Whether texts match a pattern. */
export const regex: Validator<RegexOptions> = {
  name: "regex",
  version: 1,
  // Its time is bounded; that the engine has no other way to run away is left to a process that can be killed.
  place: "sandbox",
  options: z.strictObject({
    ...fieldsOptions,
    pattern,
    match: z.enum(["whole", "part", "none"]).default("whole"),
    ignore_case: z.boolean().default(false),
  }),
  validate({ output }, options): LeafResult {
    const compiled = linearPattern(options.pattern, options.ignore_case);
    let steps = 0;
    return judgeValues(output, options, ({ path, value }) => {
      if (typeof value !== "string") return finding(path, "not_a_text", `This must be a text, and is ${quote(value)}.`);
      steps += compiled.programSize() * value.length;
      if (steps > STEPS_MAX)
        return finding(path, "too_much_to_match", "There is too much text to match.", "Write less.");
      const matches = options.match === "whole" ? compiled.testExact(value) : compiled.test(value);
      if (matches === (options.match !== "none")) return [];
      return options.match === "none"
        ? finding(path, "must_not_match", `${quote(value)} matches ${quote(options.pattern)}.`)
        : finding(path, "does_not_match", `${quote(value)} does not match ${quote(options.pattern)}.`);
    });
  },
};

/** What is wrong with a pattern, for whoever wrote it; null: it can be run. */
function problemOf(text: string): string | null {
  try {
    const size = linearPattern(text).programSize();
    return size > PROGRAM_MAX ? `is too large: ${size} steps, at most ${PROGRAM_MAX}; repeat less` : null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    return `cannot be run in linear time (look-around and back references cannot): ${reason.slice(0, 200)}`;
  }
}
