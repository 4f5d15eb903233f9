import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { VALUES_MAX } from "../bounds.ts";
import { failed, finding, PASSED, quote, shareResult } from "../finding.ts";
import { manyPointer, placesOf } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { EXAMPLES, FORMATS, type FormatName, hasFormat } from "./formats.ts";

const FIELDS_MAX = 50;

export interface FormatOptions {
  readonly fields: readonly string[];
  readonly format: FormatName;
}

/** Whether the values have the agreed form. Absent and null values are not judged. */
export const format: Validator<FormatOptions> = {
  name: "format",
  version: 1,
  place: "inline",
  options: z.strictObject({ fields: z.array(manyPointer).min(1).max(FIELDS_MAX), format: z.enum(FORMATS) }),
  validate({ output }, options): LeafResult {
    const found = options.fields.map((field) => placesOf(output, field));
    const places = found.flatMap((each) => each.places).filter(({ value }) => value !== undefined && value !== null);
    if (places.length > VALUES_MAX || found.some((each) => !each.complete))
      return failed(finding("", "too_many", `There are more than ${VALUES_MAX} values to check.`));
    if (places.length === 0) return PASSED;
    const findings = places.flatMap(({ path, value }): Finding[] => {
      if (typeof value === "string" && hasFormat(options.format, value)) return [];
      const message = `${quote(value)} is not ${EXAMPLES[options.format]}.`;
      return [finding(path, `not_${options.format}`, message, "Write it in that form.")];
    });
    return shareResult(places.length - findings.length, places.length, findings);
  },
};
