/** A job as the API shows it: to its customer, and with what it cost to the operator. */
import { JOB_STATES, REASONS, RESOLUTIONS } from "@contingent/core/job/job";
import { z } from "zod";
import {
  hashSchema,
  idSchema,
  jsonSchema,
  metadataSchema,
  moneySchema,
  outcomeTypeNameSchema,
  timestampSchema,
} from "./values.ts";

export const findingSchema = z
  .object({
    path: z.string().meta({ description: 'Where: a JSON pointer into the output; "" is the whole output.' }),
    code: z.string().meta({ examples: ["sum_mismatch"] }),
    message: z.string(),
    hint: z.string().optional().meta({ description: "What would correct it, if the validator knows." }),
  })
  .meta({ id: "Finding" });

export const verdictSchema = z
  .object({
    id: idSchema("vrd"),
    attempt: idSchema("att"),
    decision: z.enum(["pass", "partial", "fail"]).meta({
      description: "A validator that broke reaches no verdict: it is asked again, and nothing is billed.",
    }),
    score: z.number().min(0).max(1),
    findings: z.array(findingSchema),
    validators: z.array(z.string()).meta({ description: "`name@version` of every validator that had a say." }),
    evidence_hash: hashSchema.meta({ description: "Of the version, the input, the model's text and the validators." }),
    duration_ms: z
      .number()
      .min(0)
      .meta({ description: "How long it took to reach, without the time that others were asked for." }),
  })
  .meta({ id: "Verdict" });

export const leafSchema = z
  .object({
    leaf: z.string().meta({
      description: "Where it is in the outcome type's validator tree: a JSON pointer.",
      examples: ["/all/1", "/weighted/0/of"],
    }),
    validator: z.string().meta({ examples: ["json_schema@1"] }),
    score: z.number().min(0).max(1),
    duration_ms: z.number().min(0),
  })
  .meta({ id: "VerdictLeaf" });

export const featuresSchema = z.record(z.string(), z.number()).meta({
  description:
    "The numbers that the answer carries about itself, by the outcome type's names for them. They decide nothing.",
});

/** How a tree came to its verdict is the operator's: customers see what their receipts attest. */
export const operatorVerdictSchema = verdictSchema
  .extend({
    leaves: z.array(leafSchema).nullable().meta({
      description:
        "What each leaf of the tree said, in the order asked; null for verdicts from before that was recorded.",
    }),
    features: featuresSchema,
    cost: moneySchema.meta({ description: "What reaching it cost, with what whoever was asked for it cost." }),
  })
  .meta({ id: "OperatorVerdict" });

const tokensSchema = z.object({ input: z.int(), output: z.int() });

export const attemptSchema = z
  .object({
    id: idSchema("att"),
    number: z.int().min(1),
    tier: z.string(),
    model: z.string(),
    outcome: z.string().nullable().meta({
      description:
        "answered, truncated, refused, unavailable, timeout, rate_limited, rejected, lost or canceled; null while it runs.",
    }),
    tokens: tokensSchema.nullable().meta({ description: "Null while unknown." }),
    started_at: timestampSchema,
    ended_at: timestampSchema.nullable(),
    verdict: z
      .object({
        decision: z.enum(["pass", "partial", "fail"]),
        score: z.number(),
        findings: z.array(findingSchema),
      })
      .nullable(),
  })
  .meta({ id: "Attempt" });

export const operatorAttemptSchema = attemptSchema
  .extend({ cost: moneySchema, verdict: operatorVerdictSchema.nullable() })
  .meta({ id: "OperatorAttempt" });

export const chargeSchema = z
  .object({ amount: z.string(), currency: z.literal("USD"), verdict: idSchema("vrd"), charged_at: timestampSchema })
  .meta({ id: "Charge" });

export const jobSchema = z
  .object({
    id: idSchema("job"),
    object: z.literal("job"),
    outcome_type: outcomeTypeNameSchema,
    outcome_type_version: z.int().min(1),
    outcome_key: z.string().nullable(),
    state: z.enum(JOB_STATES),
    resolution: z
      .enum(RESOLUTIONS)
      .nullable()
      .meta({ description: "Null until a result is known; null again while a rejected one is reworked." }),
    reason: z.enum(REASONS).nullable().meta({ description: "Why it ended as it did." }),
    output: jsonSchema.meta({
      description:
        "The verified outcome, also while it awaits your acceptance; null unless the resolution is a success or partial.",
      override: {},
    }),
    score: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .meta({ description: "Of the deciding verdict, or the latest one so far." }),
    findings: z.array(findingSchema).meta({ description: "Of the deciding verdict, or the latest one so far." }),
    attempts: z.int().min(0).meta({ description: "How many attempts have started." }),
    tokens: tokensSchema.meta({ description: "Over all attempts." }),
    billable: z.boolean().meta({ description: "Whether it is charged. False until a verified outcome is booked." }),
    price: moneySchema.nullable().meta({ description: "What is charged; null when nothing is." }),
    credited: moneySchema
      .nullable()
      .meta({ description: "What of it was given back since; null when nothing is charged." }),
    metadata: metadataSchema,
    payload_dropped_at: timestampSchema.optional().meta({
      description: "Since when its texts are gone: input, output, findings and metadata. Only their hashes are kept.",
    }),
    created_at: timestampSchema,
    deadline_at: timestampSchema,
    settles_at: timestampSchema.nullable().meta({
      description: "While it awaits acceptance: when silence decides. Null otherwise.",
    }),
    closed_at: timestampSchema.nullable(),
    trace_id: z.string().nullable().meta({ description: "The trace of this job, from this request to its bill." }),
    redrive_of: idSchema("job").optional().meta({
      description: "The job that this one does once more, because the system had broken. Missing in others.",
    }),
    redriven_as: idSchema("job").optional().meta({
      description: "The job that does this one once more, because the system had broken. Missing in others.",
    }),
    attempt_list: z.array(attemptSchema).optional().meta({ description: "With `expand[]=attempts`." }),
    verdict: verdictSchema.nullable().optional().meta({ description: "With `expand[]=verdict`." }),
    charge: chargeSchema.nullable().optional().meta({ description: "With `expand[]=charge`." }),
  })
  .meta({ id: "Job" });

/** What only the operator sees: what the models cost, and what is left. */
export const operatorJobSchema = jobSchema
  .extend({
    customer_id: idSchema("cus"),
    cost: moneySchema.meta({
      description: "Of models and verdicts; calls whose answer was lost count at their worst case.",
    }),
    margin: moneySchema.meta({ description: "Price, less what was given back of it, minus cost." }),
    attempt_list: z.array(operatorAttemptSchema).optional().meta({ description: "With `expand[]=attempts`." }),
    verdict: operatorVerdictSchema.nullable().optional().meta({ description: "With `expand[]=verdict`." }),
  })
  .meta({ id: "OperatorJob" });

/** Either view, by the scope of the key. */
export const anyJobSchema = z.union([operatorJobSchema, jobSchema]);

export const EXPANSIONS = ["attempts", "verdict", "charge"] as const;
export type Expansion = (typeof EXPANSIONS)[number];

export type JobBody = z.output<typeof jobSchema>;
export type OperatorJobBody = z.output<typeof operatorJobSchema>;
export type VerdictBody = z.output<typeof verdictSchema>;
export type OperatorVerdictBody = z.output<typeof operatorVerdictSchema>;
export type LeafBody = z.output<typeof leafSchema>;
export type AttemptBody = z.output<typeof attemptSchema>;
export type OperatorAttemptBody = z.output<typeof operatorAttemptSchema>;
