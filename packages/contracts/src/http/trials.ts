/** Trying an outcome type on an answer before anything depends on it. */
import { z } from "zod";
import { featuresSchema, findingSchema, leafSchema } from "./job.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { outcomeTypeParams } from "./outcome-types.ts";
import { jsonObjectSchema, jsonSchema, moneySchema, outcomeTypeNameSchema } from "./values.ts";

const score = z.number().min(0).max(1);

const trialBodySchema = z
  .strictObject({
    definition: jsonObjectSchema.optional().meta({
      description: "As for publishing; the latest version unless given.",
    }),
    input: jsonSchema.meta({ description: "A job's input.", override: {} }),
    output: jsonSchema.meta({
      description: "The model's answer: a string is taken as its text, anything else as JSON that it wrote.",
      override: {},
    }),
    tier: z.string().min(1).optional().meta({
      description:
        "The step of the cascade that the answer would be of, for its threshold; the first one unless given.",
    }),
  })
  .meta({
    id: "Trial",
    examples: [{ input: { document: "Invoice 2026-0042 …" }, output: { total: "119.00", currency: "EUR" } }],
  });

const trialVerdictSchema = z
  .object({
    decision: z.enum(["pass", "partial", "fail"]),
    score,
    findings: z.array(findingSchema),
    validators: z.array(z.string()),
    leaves: z.array(leafSchema),
    features: featuresSchema,
    feedback: z.string().nullable().meta({
      description: "What the next attempt's prompt would end with; null when there is nothing to correct.",
    }),
    price: moneySchema.nullable().meta({
      description:
        "What would be charged at the list price, for a partial outcome if no better one came; null when nothing would be.",
    }),
  })
  .meta({ id: "TrialVerdict" });

const inquirySchema = z.object({
  leaf: z.string().meta({ examples: ["/all/2"] }),
  validator: z.string().meta({ examples: ["llm_judge@1"] }),
  asks: z.enum(["model", "service", "person"]),
  cost_max: moneySchema.meta({ description: "The most that one answer may cost." }),
});

export const trialResultSchema = z
  .object({
    object: z.literal("trial"),
    outcome_type: outcomeTypeNameSchema,
    version: z.int().min(1).nullable().meta({ description: "Null: the definition that was sent." }),
    tier: z.string(),
    success_at: score,
    partial_at: score.nullable(),
    acceptance: z.enum(["automatic", "window", "explicit"]).meta({
      description: "Unless automatic, it would be charged only when the customer has accepted it.",
    }),
    decision: z.enum(["pass", "partial", "fail", "error"]).nullable().meta({
      description:
        "`error`: a validator broke, which is no verdict: it would be asked again, and nothing billed. Null: it depends on what those say that would be asked.",
    }),
    verdict: trialVerdictSchema.nullable().meta({ description: "Null where there is none yet." }),
    error: z.string().nullable().meta({ description: "Why the validator broke." }),
    inquiries: z.array(inquirySchema).meta({
      description: "Who would be asked, in this order, if each of them said yes. Nobody has been asked.",
    }),
    if_all_pass: trialVerdictSchema.nullable().meta({ description: "The verdict if they all said yes." }),
    if_all_fail: trialVerdictSchema.nullable().meta({ description: "The verdict if everybody who is asked said no." }),
  })
  .meta({ id: "TrialResult" });

export type TrialResultBody = z.output<typeof trialResultSchema>;
export type TrialVerdictBody = z.output<typeof trialVerdictSchema>;

export const tryOutcomeType = {
  id: "tryOutcomeType",
  method: "post",
  path: "/v1/outcome-types/{name}/try",
  access: "operator",
  scope: "types:write",
  tag: "Outcome types",
  summary: "Try an outcome type on an answer",
  description:
    "Judges the answer as a job's would be, by a definition that is not published yet or by the latest version. The name need not exist when there is a definition. Nothing is stored, nobody asked, nothing billed.",
  params: outcomeTypeParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: trialBodySchema },
  answers: { 200: { description: "The verdict that it would get.", schema: trialResultSchema } },
  errors: [
    "sandbox_unavailable",
    ...BODY_ERRORS,
    "invalid_field",
    "unknown_field",
    "invalid_input",
    "invalid_outcome_type",
    "insufficient_data",
    "outcome_type_not_found",
  ],
} as const satisfies Operation;
