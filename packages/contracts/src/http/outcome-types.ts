/** Outcome types as operators write and read them. What they mean is in core/outcome-type. */
import { DISPUTE_WINDOW_DEFAULT_MS } from "@contingent/core/outcome-type";
import { z } from "zod";
import {
  amountSchema,
  cursorParameter,
  idSchema,
  jsonObjectSchema,
  jsonSchema,
  limitParameter,
  outcomeTypeNameSchema,
  pageOf,
  retentionDaysSchema,
  timestampSchema,
  versionParameter,
} from "./values.ts";

const DESCRIPTION_CHARACTERS_MAX = 2_000;
const PROMPT_CHARACTERS_MAX = 100_000;
const CASCADE_STEPS_MAX = 8;
const MODELS_MAX = 8;
const ATTEMPTS_MAX = 20;
const PRICE_BANDS_MAX = 20;
const OUTPUT_TOKENS_MAX = 128_000;
const CALL_TIMEOUT_MAX_MS = 10 * 60_000;
const RETRY_DELAY_MAX_MS = 60 * 60_000;
const RETRY_MULTIPLIER_MAX = 10;
/** A deadline shorter than this leaves no time for any model. */
const DEADLINE_MIN_MS = 1_000;
const DEADLINE_MAX_MS = 30 * 24 * 60 * 60_000;
const FRACTION_MAX = 1_000;
const POINTER_CHARACTERS_MAX = 500;
const FEATURES_MAX = 16;
const FEATURE_NAME = /^[a-z][a-z0-9_]{0,62}$/;
const FEATURE_NAME_RULE = "must be 1 to 63 lower-case letters, digits and underscores, a letter first";
/** A shorter window is over before anybody has looked at the outcome. */
const WINDOW_MIN_MS = 1_000;
/** Longer than a year, so that a yearly review fits; a hold does not stay open for ever. */
const WINDOW_MAX_MS = 400 * 24 * 60 * 60_000;
/** An audit that is due sooner cannot be done by anybody. */
const AUDIT_DUE_MIN_MS = 60_000;
/** A week. */
const AUDIT_DUE_DEFAULT_MS = 7 * 24 * 60 * 60_000;

/** It becomes part of an account's name: `provider:name`. */
const payeeSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  error: "must be 1 to 63 lower-case letters, digits, dots, hyphens and underscores, a letter or digit first",
});
const score = z.number().min(0).max(1);
const SUCCESS_AT_FORM = 'must be a score from 0 to 1, or {"probability": …}';
const positive = (max: number): z.ZodInt => z.int().min(1).max(max);

export const retrySchema = z.strictObject({
  initial_delay_ms: z.int().min(0).max(RETRY_DELAY_MAX_MS),
  multiplier: z.number().min(1).max(RETRY_MULTIPLIER_MAX),
  jitter: score.meta({ description: "Share of the delay by which it may vary to either side." }),
  delay_max_ms: z.int().min(0).max(RETRY_DELAY_MAX_MS),
});

const stepSuccessAt = z.number({ error: SUCCESS_AT_FORM }).min(0).max(1).meta({
  description:
    "Score from which an answer of this tier is a success; `success_at` of the type unless given. At least that, and never falling from one step to the next.",
});

export const cascadeStepSchema = z.strictObject({
  tier: z.string().min(1),
  attempts_max: positive(ATTEMPTS_MAX).optional(),
  models: z.array(z.string().min(1)).min(1).max(MODELS_MAX).optional().meta({
    description:
      "In order of preference; the tier's own unless given. The others stand in while the first is unavailable.",
  }),
  timeout_ms: positive(CALL_TIMEOUT_MAX_MS).optional(),
  retry: retrySchema.optional(),
  success_at: stepSuccessAt.optional(),
});

export const priceSchema = z.discriminatedUnion("shape", [
  z.strictObject({ shape: z.literal("binary"), amount: amountSchema }),
  z.strictObject({
    shape: z.literal("tiered"),
    amount: amountSchema,
    bands: z
      .array(z.strictObject({ from_score: score, fraction: z.number().min(0).max(FRACTION_MAX) }))
      .min(1)
      .max(PRICE_BANDS_MAX)
      .meta({ description: "Ascending: from this score on, this fraction of the amount." }),
  }),
  z.strictObject({
    shape: z.literal("linear"),
    amount: amountSchema.meta({ description: "The price of a score of 1." }),
    floor: amountSchema.optional().meta({ description: "The least that a delivered outcome costs; 0 unless given." }),
    ceiling: amountSchema.optional().meta({ description: "The most; the amount unless given. It is what is held." }),
  }),
  z.strictObject({
    shape: z.literal("value"),
    rate: z.number().min(0).max(FRACTION_MAX).meta({ description: "Of the number: 0.02 is 2 %." }),
    path: z
      .string()
      .max(POINTER_CHARACTERS_MAX)
      .meta({
        description: "JSON pointer to the number in the outcome. Without a number there the price is the minimum.",
        examples: ["/recovered_amount"],
      }),
    min: amountSchema.optional().meta({ description: "The least that a success costs; 0 unless given." }),
    max: amountSchema.meta({ description: "The most. It is what is held." }),
  }),
]);

export type PriceDefinition = z.output<typeof priceSchema>;

const windowMs = z.int().min(WINDOW_MIN_MS).max(WINDOW_MAX_MS);
const silence = z.enum(["accept", "release"]);

/** How a customer decides. The options of the validator `customer_acceptance` are the same. */
export const customerAcceptanceSchema = z.discriminatedUnion("mode", [
  z
    .strictObject({ mode: z.literal("window"), duration_ms: windowMs, on_silence: silence })
    .meta({ description: "The customer may accept or reject for so long; then silence decides." }),
  z.strictObject({ mode: z.literal("explicit"), until_ms: windowMs, on_silence: silence.default("release") }).meta({
    description: "The customer must say so, within this time; silence releases them unless you say otherwise.",
  }),
]);

export type CustomerAcceptance = z.output<typeof customerAcceptanceSchema>;

export const acceptanceSchema = z.discriminatedUnion("mode", [
  z.strictObject({ mode: z.literal("automatic") }).meta({ description: "A verified outcome is charged at once." }),
  customerAcceptanceSchema,
]);

const successAtScore = z
  .number({ error: SUCCESS_AT_FORM })
  .min(0)
  .max(1)
  .meta({ description: "Score from which an outcome is a success." });

export const probabilityThresholdSchema = z.strictObject({ probability: z.number().gt(0).lt(1) }).meta({
  description:
    "The smallest score from which on outcomes have been right with at least this probability, by the labelled outcomes of the newest version with the same validator and output schema that has enough of them. It is looked up when the definition is published, and stays as it is in that version.",
  examples: [{ probability: 0.95 }],
});

const auditSchema = z.strictObject({
  rate: z
    .number()
    .gt(0)
    .max(1)
    .meta({ description: "The share of billed outcomes, drawn at random, that is looked at again." }),
  method: z.literal("human").default("human").meta({ description: "Who looks: a person, through `/v1/audits`." }),
  credit: z.boolean().default(false).meta({
    description: "Whether the charge for an outcome that turns out not to be right is given back by itself.",
  }),
  due_ms: z
    .int()
    .min(AUDIT_DUE_MIN_MS)
    .max(WINDOW_MAX_MS)
    .default(AUDIT_DUE_DEFAULT_MS)
    .meta({ description: "How soon an audit should be decided; a week unless given." }),
});

/** A definition whose thresholds are scores. */
export const outcomeTypeDefinitionSchema = z
  .strictObject({
    description: z.string().max(DESCRIPTION_CHARACTERS_MAX),
    currency: z.literal("USD"),
    prompt: z
      .strictObject({
        system: z.string().max(PROMPT_CHARACTERS_MAX),
        user: z.string().min(1).max(PROMPT_CHARACTERS_MAX),
      })
      .meta({ description: "Templates: `{{input}}` is the whole input, `{{input.path}}` a part of it." }),
    input_schema: jsonObjectSchema.meta({ description: "JSON Schema 2020-12, local references only." }),
    output_schema: jsonObjectSchema.meta({ description: "JSON Schema 2020-12, local references only." }),
    validator: jsonSchema.meta({
      description:
        'A tree. A leaf is {"use": name, "options": {…}}; inner nodes are {"all": […]}, {"any": […]}, {"weighted": [{"weight": 1, "of": …}], "threshold": 0.9} and {"not": …}.',

      override: { type: "object" },
    }),
    judge_alone: z.boolean().default(false).meta({
      description:
        "Whether an outcome may be billed on the word of a model that judges (`llm_judge`) alone, with no other check than the answer's shape.",
    }),
    success_at: successAtScore.default(1),
    features: z
      .record(z.string().regex(FEATURE_NAME, { error: FEATURE_NAME_RULE }), z.string().max(POINTER_CHARACTERS_MAX))
      .refine((features) => Object.keys(features).length <= FEATURES_MAX, `must be at most ${FEATURES_MAX}`)
      .default({})
      .meta({
        description:
          "Numbers that an answer carries about itself, such as its confidence: names, and JSON pointers into the output. They are recorded with the verdict and never decide.",
        examples: [{ confidence: "/confidence" }],
      }),
    partial_at: score.optional().meta({ description: "Score from which it is partial; none unless given." }),
    cascade: z.array(cascadeStepSchema).min(1).max(CASCADE_STEPS_MAX),
    attempts_max: positive(ATTEMPTS_MAX * CASCADE_STEPS_MAX)
      .optional()
      .meta({
        description: "Over all tiers together; the sum of the tiers' unless given.",
      }),
    cost_cap: amountSchema.meta({ description: "The most that may be spent on one job." }),
    deadline_ms: z.int().min(DEADLINE_MIN_MS).max(DEADLINE_MAX_MS),
    output_tokens: z
      .strictObject({
        start: positive(OUTPUT_TOKENS_MAX),
        min: positive(OUTPUT_TOKENS_MAX),
        max: positive(OUTPUT_TOKENS_MAX),
      })
      .default({ start: 4_096, min: 512, max: 16_384 })
      .meta({
        description: "The output limit starts here, doubles up to `max` when cut off, sinks to `min` to fit the cap.",
      }),
    price: priceSchema,
    validation: z
      .strictObject({
        provider: payeeSchema.meta({ description: "Whom a verdict is owed to.", examples: ["anthropic"] }),
        name: payeeSchema.meta({ description: "For what of theirs: a model, a service." }),
        cost_per_verdict: amountSchema,
      })
      .optional()
      .meta({
        description:
          "What a verdict costs, if anything. It counts towards the cost cap: an attempt starts only if the verdict on it fits as well.",
      }),
    acceptance: acceptanceSchema.optional().meta({
      description:
        "When a verified outcome is the customer's, and is charged; `automatic` unless given. The validator `customer_acceptance` says the same from within the tree; then leave this out.",
    }),
    rework: z.boolean().default(false).meta({
      description:
        "Whether a rejected outcome is worked on again, with the customer's reason as feedback, while attempts and the cost cap last.",
    }),
    dispute_window_ms: z.int().min(0).max(WINDOW_MAX_MS).default(DISPUTE_WINDOW_DEFAULT_MS).meta({
      description: "How long after it was made a charge may be disputed; 0: never. 30 days unless given.",
    }),
    payload_retention_days: retentionDaysSchema.optional().meta({
      description:
        "The texts of a job are dropped so many days after it was closed, or earlier where the customer's retention is shorter. Unless given the customer's alone counts.",
      examples: [30],
    }),
    audit: auditSchema.optional().meta({
      description: "Random audits of billed outcomes: by them it is measured what share of the bills is right.",
    }),
    false_bill_rate_max: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .meta({
        description: "The largest share of billed outcomes that may turn out wrong: more, by the audits, is an alert.",
        examples: [0.02],
      }),
  })
  .meta({ description: "What an outcome type is, its thresholds as scores." });

/** A definition as it is sent. */
export const publishOutcomeTypeSchema = outcomeTypeDefinitionSchema
  .extend({
    success_at: z.union([successAtScore, probabilityThresholdSchema]).default(1),
    cascade: z
      .array(cascadeStepSchema.extend({ success_at: z.union([stepSuccessAt, probabilityThresholdSchema]).optional() }))
      .min(1)
      .max(CASCADE_STEPS_MAX),
  })
  .meta({ id: "OutcomeTypeDefinition" });

export type OutcomeTypeDefinition = z.output<typeof outcomeTypeDefinitionSchema>;
export type CascadeStepDefinition = z.output<typeof cascadeStepSchema>;

export const outcomeTypeSchema = z
  .object({
    id: idSchema("otv"),
    object: z.literal("outcome_type"),
    name: outcomeTypeNameSchema,
    version: z.int().min(1),
    definition: jsonObjectSchema.meta({ description: "As it was sent." }),
    created_at: timestampSchema,
  })
  .meta({ id: "OutcomeType" });

export type OutcomeTypeBody = z.output<typeof outcomeTypeSchema>;

export const outcomeTypePageSchema = pageOf(outcomeTypeSchema, "OutcomeTypePage");

export const outcomeTypeParams = z.strictObject({ name: outcomeTypeNameSchema });
export const outcomeTypeVersionParams = z.strictObject({ name: outcomeTypeNameSchema, version: versionParameter });
export const pageQuery = z.strictObject({ limit: limitParameter, cursor: cursorParameter });
