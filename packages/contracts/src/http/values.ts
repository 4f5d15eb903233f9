/** The values that several endpoints share. */
import { type Id, ID_BODY, type IdPrefix, isId } from "@contingent/core/ids";
import type { Json, JsonObject } from "@contingent/core/json";
import { DECIMAL_PATTERN, parseMoney } from "@contingent/core/money";
import { isLess, ONE, parseRatio, type Ratio } from "@contingent/core/ratio";
import { z } from "zod";

/** Longest text that names something. */
const NAME_CHARACTERS_MAX = 255;
const REASON_CHARACTERS_MAX = 2_000;
export const METADATA_ENTRIES_MAX = 50;
const METADATA_KEY_CHARACTERS_MAX = 40;
const METADATA_VALUE_CHARACTERS_MAX = 500;
/** Longest a request may wait for a result, seconds. */
export const WAIT_MAX_S = 60;
export const PAGE_SIZE_MAX = 100;
export const PAGE_SIZE_DEFAULT = 20;

const SQL_INT_MAX = 2_147_483_647;

/** Any JSON value. */
export const jsonSchema = z
  .custom<Json>((value) => value !== undefined, { error: "is required" })
  .meta({ description: "Any JSON value.", override: {} });

export const jsonObjectSchema = z
  .custom<JsonObject>((value) => typeof value === "object" && value !== null && !Array.isArray(value), {
    error: "must be an object",
  })
  .meta({ override: { type: "object", additionalProperties: true } });

/** Why an operator does something. */
export const reasonSchema = z.string().trim().min(1).max(REASON_CHARACTERS_MAX);

/** For how many days after a job is closed its texts are kept: a hundred years at the most. */
export const retentionDaysSchema = z.int().min(0).max(36_500);

export const timestampSchema = z.iso.datetime({ offset: true }).meta({ examples: ["2026-11-24T09:30:00.123Z"] });

export const hashSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]+$/)
  .meta({ examples: ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"] });

export const moneySchema = z
  .object({
    amount: z.string().meta({ description: "A decimal number, exact.", examples: ["0.04"] }),
    currency: z.literal("USD"),
  })
  .meta({ id: "Money" });

/** An amount in a request: a decimal string. */
export const amountSchema = z
  .string({ error: 'must be a decimal number in a string, such as "0.04"' })
  .refine((text) => parseMoney(text) !== null, {
    error: 'must be a decimal number with at most 9 digits on either side of the point, such as "0.04"',
  })
  .meta({ override: { type: "string", pattern: DECIMAL_PATTERN, examples: ["0.04"] } });

export function idSchema<P extends IdPrefix>(prefix: P): z.ZodType<Id<P>> {
  return z
    .custom<Id<P>>((value) => typeof value === "string" && isId(prefix, value), {
      error: `must be an id like ${prefix}_…`,
    })
    .meta({
      override: {
        type: "string",
        pattern: `^${prefix}_${ID_BODY}$`,
        examples: [`${prefix}_01kb0c3v5q8w2e4r6t7y9u1i3o`],
      },
    });
}

export const outcomeTypeNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, {
    error: "must be 1 to 63 lower-case letters, digits and hyphens, a letter first",
  })
  .meta({ examples: ["data-extraction"] });

export const outcomeKeySchema = z
  .string()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .meta({
    description:
      "Your own name for this one outcome, unique for ever within the outcome type: asking for it again returns the first job, and nothing is billed again.",
    examples: ["invoice-2026-0042"],
  });

export const metadataSchema = z
  .record(z.string().min(1).max(METADATA_KEY_CHARACTERS_MAX), z.string().max(METADATA_VALUE_CHARACTERS_MAX))
  .refine((entries) => Object.keys(entries).length <= METADATA_ENTRIES_MAX, {
    error: `must have at most ${METADATA_ENTRIES_MAX} entries`,
  })
  .meta({ description: "Your own labels. Returned with the job, and looked at by nobody." });

/** A whole number in a query or path. */
export function integerParameter(min: number, max: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z
    .string()
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d{1,10}$/.test(text) && value >= min && value <= max) return value;
      context.addIssue({ code: "custom", message: `must be a whole number from ${min} to ${max}` });
      return z.NEVER;
    })
    .meta({ override: { type: "integer", minimum: min, maximum: max } });
}

export const waitParameter = integerParameter(0, WAIT_MAX_S)
  .optional()
  .meta({
    description: `Wait up to this many seconds for the job to be closed (at most ${WAIT_MAX_S}).`,
  });

export const limitParameter = integerParameter(1, PAGE_SIZE_MAX)
  .optional()
  .meta({ description: `Entries per page; ${PAGE_SIZE_DEFAULT} unless given.` });

export const cursorParameter = z
  .string()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .optional()
  .meta({ description: "`next_cursor` of the page before." });

export const versionParameter = integerParameter(1, SQL_INT_MAX);

/** A share in a query, exact: from 0 up to, but not including, 1. */
export const shareParameter: z.ZodPipe<z.ZodString, z.ZodTransform<Ratio, string>> = z
  .string()
  .transform((text, context) => {
    const value = parseRatio(text);
    if (value !== null && isLess(value, ONE)) return value;
    context.addIssue({ code: "custom", message: "must be a decimal number from 0 to less than 1, such as 0.4" });
    return z.NEVER;
  })
  .meta({ override: { type: "number", minimum: 0, exclusiveMaximum: 1 } });

/** An instant in a query, as ms since the epoch. */
export const instantParameter = z.iso
  .datetime({ offset: true, error: "must be an ISO 8601 time with its zone, such as 2026-11-24T09:30:00Z" })
  .transform((text) => Date.parse(text))
  .optional();

/** A day of UTC in a query. */
export const dayParameter = z.iso.date({ error: "must be a day such as 2026-11-24" }).optional();

/** A page of a list. */
export function pageOf<T extends z.ZodType>(entry: T, id: string): z.ZodType<Page<z.output<T>>> {
  return z
    .object({
      object: z.literal("list"),
      data: z.array(entry),
      has_more: z.boolean(),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: "Pass it as `cursor` to get the next page; null on the last." }),
    })
    .meta({ id });
}

export interface Page<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  next_cursor: string | null;
}
