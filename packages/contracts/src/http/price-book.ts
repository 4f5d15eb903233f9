/** The price book: what models cost, as operators import and read it. What it means is in core/price-book. */
import { parseMoney } from "@contingent/core/money";
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  amountSchema,
  cursorParameter,
  idSchema,
  instantParameter,
  limitParameter,
  pageOf,
  timestampSchema,
} from "./values.ts";

const SOURCE_CHARACTERS_MAX = 2_000;
const NAME_CHARACTERS_MAX = 200;
export const RATES_MAX = 200;
const BANDS_MAX = 16;
const PROMPT_TOKENS_MAX = 1_000_000_000;
/** USD per million tokens. The dearest model there is costs a hundredth of it: above, something else was meant. */
const PRICE_MAX = parseMoney("10000") ?? 0n;

const priceSchema = amountSchema
  .refine((text) => (parseMoney(text) ?? 1n) > 0n, {
    error: "must be more than zero: nothing is free, and a price that is not known is null",
  })
  .refine((text) => (parseMoney(text) ?? 0n) <= PRICE_MAX, {
    error: "must be at most 10000 USD per million tokens",
  });
const knownPriceSchema = priceSchema.nullable().meta({ description: "Null: not known, so such tokens are refused." });

export const rateBandSchema = z
  .strictObject({
    prompt_tokens_max: z.int().min(1).max(PROMPT_TOKENS_MAX).nullable().meta({
      description: "For prompts (input, cache reads and writes) of at most so many tokens; null: of any size.",
    }),
    input: priceSchema,
    output: priceSchema,
    cache_write_5m: knownPriceSchema,
    cache_write_1h: knownPriceSchema,
    cache_read: knownPriceSchema,
  })
  .meta({ id: "RateBand", description: "USD per million tokens." });

const bandsSchema = z
  .array(rateBandSchema)
  .min(1)
  .max(BANDS_MAX)
  .superRefine((bands, context) => {
    for (const [i, { prompt_tokens_max: limit }] of bands.entries()) {
      const path = [i, "prompt_tokens_max"];
      if (limit === null) {
        if (i === bands.length - 1) continue;
        context.addIssue({ code: "custom", path, message: "only the last band holds for prompts of any size" });
        continue;
      }
      const before = bands[i - 1]?.prompt_tokens_max ?? 0;
      if (limit <= before)
        context.addIssue({ code: "custom", path, message: `must be above the band before (${before})` });
      if (i === bands.length - 1) {
        context.addIssue({ code: "custom", path, message: "the last band must hold for prompts of any size: null" });
      }
    }
  })
  .meta({
    description: "Ascending, the last one open. The whole request is priced by the band that its prompt falls into.",
  });

const fastSchema = z
  .strictObject({ input: priceSchema, output: priceSchema })
  .nullable()
  .meta({ description: "Prices in fast mode; null: it has none." });

const rateFields = {
  model: z
    .string()
    .min(1)
    .max(NAME_CHARACTERS_MAX)
    .regex(/^[\w.:/@-]+$/, { error: "must be the exact id that the provider bills by, without spaces" })
    .meta({ examples: ["claude-haiku-5-5"] }),
  provider: z
    .string()
    .min(1)
    .max(NAME_CHARACTERS_MAX)
    .meta({ examples: ["anthropic"] }),
  bands: bandsSchema,
};

export const importRatesSchema = z
  .strictObject({
    source: z
      .string()
      .trim()
      .min(1)
      .max(SOURCE_CHARACTERS_MAX)
      .meta({
        description: "Where the prices are from.",
        examples: ["https://platform.claude.com/pricing, 2026-11-25"],
      }),
    correction: z.boolean().default(false).meta({
      description:
        "Allows an `effective_from` in the past. The rate counts for what is called from now on; what has been booked stays.",
    }),
    rates: z
      .array(
        z.strictObject({
          ...rateFields,
          effective_from: z.iso
            .datetime({ offset: true, error: "must be an ISO 8601 time with its zone, such as 2026-12-01T00:00:00Z" })
            .transform((text) => Date.parse(text))
            .meta({ description: "First instant at which it counts." }),
          fast: fastSchema.default(null),
        }),
      )
      .min(1)
      .max(RATES_MAX)
      .superRefine((rates, context) => {
        const seen = new Set<string>();
        for (const [i, { model, effective_from: from }] of rates.entries()) {
          const beginning = `${model} ${from}`;
          const message = "is there already from this instant on: one model has one rate at a time";
          if (seen.has(beginning)) context.addIssue({ code: "custom", path: [i, "model"], message });
          seen.add(beginning);
        }
      }),
  })
  .meta({ id: "ImportRates" });

export type ImportRatesRequest = z.output<typeof importRatesSchema>;

export const rateSchema = z
  .object({
    object: z.literal("rate"),
    model: rateFields.model,
    provider: rateFields.provider,
    currency: z.literal("USD"),
    effective_from: timestampSchema,
    effective_until: timestampSchema
      .nullable()
      .meta({ description: "An announced end; a later rate of the model ends it in any case." }),
    bands: z.array(rateBandSchema),
    fast: fastSchema,
    import: idSchema("imp").nullable().meta({ description: "Null: the program shipped with it." }),
    source: z.string().nullable(),
    imported_at: timestampSchema.nullable(),
  })
  .meta({ id: "Rate" });

export type RateBody = z.output<typeof rateSchema>;

export const priceBookImportSchema = z
  .object({
    object: z.literal("price_book_import"),
    id: idSchema("imp").nullable().meta({ description: "Null when nothing was new." }),
    added: z.array(rateSchema),
    unchanged: z.int().min(0).meta({ description: "How many of the rates the book had already." }),
  })
  .meta({ id: "PriceBookImport" });

export type PriceBookImportBody = z.output<typeof priceBookImportSchema>;

export const priceBookPageSchema = pageOf(rateSchema, "PriceBookPage");

export const priceBookQuery = z.strictObject({
  model: z.string().min(1).max(NAME_CHARACTERS_MAX).optional().meta({ description: "Only of exactly this model." }),
  at: instantParameter.meta({
    description:
      "Only the rates that count at this time, by model: what a call was booked at then, or will be as things stand.",
  }),
  limit: limitParameter,
  cursor: cursorParameter,
});

export const importRates = {
  id: "importRates",
  method: "post",
  path: "/v1/price-book",
  access: "operator",
  scope: "books:write",
  tag: "Costs",
  summary: "Import what models cost",
  description:
    "Adds rates to the price book; nothing in it is ever edited. A rate counts for calls from its first instant on, or from its import if that is later (within 2 s everywhere). What the book says already is not added again.",
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: importRatesSchema },
  answers: {
    200: { description: "The book says all of it already.", schema: priceBookImportSchema },
    201: { description: "Imported.", schema: priceBookImportSchema },
  },
  errors: [...BODY_ERRORS],
} as const satisfies Operation;

export const getPriceBook = {
  id: "getPriceBook",
  method: "get",
  path: "/v1/price-book",
  access: "operator",
  scope: "books:read",
  tag: "Costs",
  summary: "Read what models cost",
  description: "Every rate there is or was, what was imported last first, then those that the program ships with.",
  query: priceBookQuery,
  answers: { 200: { description: "A page of rates.", schema: priceBookPageSchema } },
  errors: [],
} as const satisfies Operation;
