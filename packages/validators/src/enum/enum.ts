import type { Json } from "@contingent/core/json";
import { z } from "zod";
import { nothingExpected } from "../expected.ts";
import { failed, finding, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import { type Fold, foldOnce } from "../text.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { type Fields, fieldsOptions, judgeValues } from "../values.ts";

const ALLOWED_MAX = 1_000;
const SHOWN_MAX = 8;

type Scalar = string | number | boolean;

export interface EnumOptions extends Fields {
  /** The allowed values, or where the input lists them. */
  readonly values: readonly Scalar[] | { readonly input: string };
  readonly ignore_case: boolean;
}

/** Whether values are among the allowed ones. */
export const enumOf: Validator<EnumOptions> = {
  name: "enum",
  version: 1,
  place: "inline",
  options: z.strictObject({
    ...fieldsOptions,
    values: z.union(
      [
        z
          .array(z.union([z.string(), z.number(), z.boolean()]))
          .min(1)
          .max(ALLOWED_MAX),
        z.strictObject({ input: pointer }),
      ],
      `must be a list of 1 to ${ALLOWED_MAX} texts, numbers or booleans, or {"input": "<pointer into the input>"}`,
    ),
    ignore_case: z.boolean().default(false),
  }),
  validate({ input, output }, options): LeafResult {
    const values = "input" in options.values ? listIn(valueAt(input, options.values.input)) : options.values;
    if (values === null) return failed(nothingExpected("input" in options.values ? options.values.input : ""));
    const fold = foldOnce(options.ignore_case);
    const allowed = new Set(values.map((value) => comparable(value, fold)));
    const shown =
      values
        .slice(0, SHOWN_MAX)
        .map((value) => quote(value))
        .join(", ") + (values.length > SHOWN_MAX ? ", …" : "");
    return judgeValues(output, options, ({ path, value }) => {
      if (isScalar(value) && allowed.has(comparable(value, fold))) return [];
      return finding(path, "not_allowed", `${quote(value)} is not one of the allowed values.`, `Allowed: ${shown}`);
    });
  },
};

function listIn(value: Json | undefined): readonly Scalar[] | null {
  if (!Array.isArray(value)) return null;
  const items: readonly Json[] = value;
  const usable = items.length > 0 && items.length <= ALLOWED_MAX && items.every(isScalar);
  return usable ? items : null;
}

function isScalar(value: Json): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function comparable(value: Scalar, fold: Fold): Scalar {
  return typeof value === "string" ? fold(value) : value;
}
