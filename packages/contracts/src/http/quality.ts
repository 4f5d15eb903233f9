/** How far verdicts can be trusted: audits of billed outcomes, what they and other labels say, and alerts. */
import { AUDIT_RESULTS } from "@contingent/core/quality/false-bills";
import { LABEL_SOURCES } from "@contingent/core/quality/labels";
import { z } from "zod";
import { findingSchema } from "./job.ts";
import { jobParams } from "./jobs.ts";
import { BODY_ERRORS, HTML_TYPE, JSON_TYPE, type Operation } from "./operation.ts";
import { outcomeTypeParams, pageQuery } from "./outcome-types.ts";
import { idSchema, jsonSchema, outcomeTypeNameSchema, pageOf, timestampSchema, versionParameter } from "./values.ts";

const REASON_CHARACTERS_MAX = 2_000;

const share = z.number().min(0).max(1).meta({ description: "To the nearest millionth." });
const interval = {
  low: share.meta({ description: "Lower bound of the exact 95 % interval (Clopper–Pearson)." }),
  high: share.meta({ description: "Upper bound." }),
};

export const precisionSchema = z
  .object({
    basis: z.literal("random_audits").meta({
      description:
        "Only audits count, which look at billed outcomes that were drawn at random. Disputes and acceptances are not: who complains, or accepts, is no random sample.",
    }),
    audited: z
      .int()
      .meta({ description: "Audited outcomes, the newest 2,000 at most; those that nobody could decide left out." }),
    correct: z.int(),
    point: share.meta({ description: "The share of billed outcomes that were rightly billed." }),
    ...interval,
  })
  .meta({ id: "Precision" });

export type PrecisionBody = z.output<typeof precisionSchema>;

const forecastErrorSchema = z.object({
  ece: z.number().meta({
    description:
      "Expected calibration error: in ten bins of equal width the distance of the mean forecast from the share that was right, averaged by how many the bin holds.",
  }),
  brier: z.number().meta({ description: "Mean squared distance of the forecast from what came (0 or 1)." }),
});

const calibrationSchema = z.object({
  status: z.enum(["calibrated", "insufficient_data"]),
  reason: z
    .enum(["too_few_labels", "one_class"])
    .nullable()
    .meta({ description: "Why there is none: fewer than 30 labels, or all of them right, or all wrong." }),
  basis: z.array(z.enum(LABEL_SOURCES)).meta({
    description:
      "The sources that labels came from. All but audits are what people chose to look at, so a probability that rests on them may be off.",
  }),
  curve: z
    .array(
      z.object({
        from_score: z.number(),
        to_score: z.number(),
        probability: share.meta({ description: "That an outcome with such a score is right." }),
        labels: z.int(),
      }),
    )
    .meta({ description: "Score to probability, by isotonic regression: ascending steps." }),
  bins: z
    .array(z.object({ mean_score: share, share_correct: share, labels: z.int() }))
    .meta({ description: "The reliability diagram: ten bins of the score, those without labels left out." }),
  of_score: forecastErrorSchema.nullable().meta({ description: "Of the score, read as a probability." }),
  of_calibrated: forecastErrorSchema
    .nullable()
    .meta({ description: "Of the calibrated probability, by five folds: each label by a curve that has not seen it." }),
});

const figures = {
  labels: z
    .object({ total: z.int(), ...Object.fromEntries(LABEL_SOURCES.map((source) => [source, z.int()])) } as Record<
      (typeof LABEL_SOURCES)[number] | "total",
      z.ZodInt
    >)
    .meta({
      description:
        "Outcomes sold as full ones that somebody called right or wrong, and answers that an operator did; the newest 5,000 labels at most. Where several looked, it counts by the strongest: an audit, then an operator, then a dispute, then the customer's acceptance or rejection.",
    }),
  calibration: calibrationSchema,
  precision: precisionSchema.nullable().meta({ description: "Null before the first audit." }),
  audits: z.object({
    undecided: z.int().meta({ description: "Audits that nobody could decide." }),
    open: z.int().meta({ description: "Waiting; counted up to 1,000." }),
    overdue: z.int(),
  }),
  false_bills: z
    .object({
      rate: share.nullable().meta({ description: "1 − precision." }),
      low: share.nullable(),
      high: share.nullable(),
      maximum: z.number().nullable().meta({ description: "`false_bill_rate_max` of the version." }),
      state: z.enum(["unmeasured", "within", "suspected", "exceeded"]).nullable().meta({
        description:
          "`suspected`: measured above the maximum, which may be by chance. `exceeded`: the whole interval is above. Null without a maximum.",
      }),
    })
    .meta({ description: "The share of billed outcomes that should not have been billed." }),
};

export const qualitySchema = z
  .object({
    object: z.literal("outcome_type_quality"),
    outcome_type: outcomeTypeNameSchema,
    over_all: z.object(figures).meta({
      description:
        "All versions together. Where versions are audited at different rates, only what all of them would have drawn counts.",
    }),
    versions: z.array(
      z.object({
        version: z.int().min(1),
        success_at: z.object({
          score: z.number(),
          by_tier: z.array(z.object({ tier: z.string(), score: z.number() })),
          calibrated_by: z.object({ version: z.int(), labels: z.int() }).nullable().meta({
            description:
              "The version in whose calibration scores were looked up that were asked for as probabilities; null: all were given as scores.",
          }),
        }),
        audit_rate: share.meta({ description: "The share of billed outcomes that is audited; 0: none." }),
        ...figures,
      }),
    ),
  })
  .meta({ id: "OutcomeTypeQuality" });

export type QualityBody = z.output<typeof qualitySchema>;
export type QualityFigures = QualityBody["over_all"];

export const qualityQuery = z.strictObject({
  version: versionParameter.optional().meta({ description: "Only this version; the newest three unless given." }),
});

export const auditSchema = z
  .object({
    object: z.literal("audit"),
    id: idSchema("aud"),
    job: idSchema("job"),
    customer: idSchema("cus"),
    outcome_type: outcomeTypeNameSchema,
    outcome_type_version: z.int().min(1),
    method: z.literal("human"),
    state: z.enum(["open", "done"]),
    sampled_at: timestampSchema,
    due_at: timestampSchema,
    result: z
      .enum(AUDIT_RESULTS)
      .nullable()
      .meta({ description: "`incorrect`: it should not have been billed. `undecided`: it cannot be told." }),
    reason: z.string().nullable(),
    decided_by: idSchema("key").nullable().meta({ description: "The key by which it was decided." }),
    decided_at: timestampSchema.nullable(),
    credit: z
      .object({ state: z.enum(["due", "given", "nothing_left"]), credit_note: idSchema("crn").nullable() })
      .nullable()
      .meta({
        description:
          "What becomes of the charge for an outcome that should not have been billed, where the outcome type says that it is given back. `due`: it will be in a moment, or when the statement that bills it is closed.",
      }),
  })
  .meta({ id: "Audit" });

export type AuditBody = z.output<typeof auditSchema>;

export const auditWithEvidenceSchema = auditSchema
  .extend({
    evidence: z
      .object({
        input: jsonSchema.meta({ description: "The job's input." }),
        output: z
          .string()
          .meta({ description: "The model's answer, as it was judged. It is not to be trusted: show it as text." }),
        verdict: z.object({
          id: idSchema("vrd"),
          decision: z.enum(["pass", "partial", "fail"]),
          score: z.number(),
          findings: z.array(findingSchema),
          validators: z.array(z.string()),
        }),
      })
      .nullable()
      .meta({ description: "Null once the job's texts have been dropped." }),
  })
  .meta({ id: "AuditWithEvidence" });

export type AuditWithEvidenceBody = z.output<typeof auditWithEvidenceSchema>;

export const auditParams = z.strictObject({ id: idSchema("aud") });

export const decideAuditSchema = z
  .strictObject({
    result: z.enum(AUDIT_RESULTS),
    reason: z
      .string()
      .min(1)
      .max(REASON_CHARACTERS_MAX)
      .regex(/\S/, { error: "must say something" })
      .meta({ description: "What was found. For operators: customers do not see it." }),
  })
  .meta({ id: "DecideAudit", examples: [{ result: "incorrect", reason: "The due date is that of another invoice." }] });

export const qualityAlertSchema = z
  .object({
    object: z.literal("quality_alert"),
    id: idSchema("alr"),
    type: z.literal("false_bill_rate_exceeded"),
    outcome_type: outcomeTypeNameSchema,
    outcome_type_version: z.int().min(1),
    maximum: z.number(),
    audited: z.int().meta({ description: "Audited outcomes when it was raised." }),
    incorrect: z.int().meta({ description: "Of these should not have been billed." }),
    raised_at: timestampSchema,
    certain_at: timestampSchema.nullable().meta({
      description: "Since when it is no chance: the whole interval was above the maximum. Null: it never was.",
    }),
    cleared_at: timestampSchema.nullable().meta({ description: "When it was no longer above; null: it still is." }),
  })
  .meta({ id: "QualityAlert" });

export type QualityAlertBody = z.output<typeof qualityAlertSchema>;

export const labelJobSchema = z
  .strictObject({
    correct: z
      .boolean()
      .meta({ description: "Whether the answer is right as a full outcome, whatever its verdict was." }),
    reason: decideAuditSchema.shape.reason,
  })
  .meta({ id: "LabelJob", examples: [{ correct: true, reason: "The missing field is not on the document." }] });

export const labelSchema = z
  .object({
    object: z.literal("label"),
    job: idSchema("job"),
    verdict: idSchema("vrd"),
    decision: z.enum(["pass", "partial", "fail"]),
    score: z.number(),
    correct: z.boolean(),
    reason: z.string(),
  })
  .meta({ id: "Label" });

const TAG = "Quality";

export const labelJob = {
  id: "labelJob",
  method: "post",
  path: "/v1/jobs/{id}/label",
  access: "operator",
  scope: "reviews:write",
  tag: TAG,
  summary: "Say whether an answer is right",
  description:
    "For calibration: of the verdict that the job was charged by, else of the one in hand or the latest. Answers that were not good enough count too, so that a lower threshold can be justified. It changes nothing about the job or its charge. The same again is the same as once; what is said later, and otherwise, counts.",
  params: jobParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: labelJobSchema },
  answers: {
    200: { description: "It was said before.", schema: labelSchema },
    201: { description: "Said.", schema: labelSchema },
  },
  errors: [...BODY_ERRORS, "job_not_found", "no_verdict"],
} as const satisfies Operation;

export const listAudits = {
  id: "listAudits",
  method: "get",
  path: "/v1/audits",
  access: "operator",
  scope: "reviews:read",
  tag: TAG,
  summary: "List audits of billed outcomes",
  description: "Open ones, the oldest first, or done ones, the newest first.",
  query: pageQuery.extend({
    state: z.enum(["open", "done"]).default("open"),
    outcome_type: outcomeTypeNameSchema.optional(),
  }),
  answers: { 200: { description: "A page of audits.", schema: pageOf(auditSchema, "AuditPage") } },
  errors: [],
} as const satisfies Operation;

export const getAudit = {
  id: "getAudit",
  method: "get",
  path: "/v1/audits/{id}",
  access: "operator",
  scope: "reviews:read",
  tag: TAG,
  summary: "Read an audit with what to decide it by",
  params: auditParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The audit and its evidence.", schema: auditWithEvidenceSchema } },
  errors: ["audit_not_found"],
} as const satisfies Operation;

export const decideAudit = {
  id: "decideAudit",
  method: "post",
  path: "/v1/audits/{id}/result",
  access: "operator",
  scope: "reviews:write",
  tag: TAG,
  summary: "Decide an audit",
  description:
    "Once. The same result for the same reason again is the same as once. Where the outcome type says so, the charge for an outcome that should not have been billed is given back at once.",
  params: auditParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: decideAuditSchema },
  answers: { 200: { description: "The audit, decided.", schema: auditWithEvidenceSchema } },
  errors: [...BODY_ERRORS, "audit_not_found", "audit_decided"],
} as const satisfies Operation;

export const getQuality = {
  id: "getQuality",
  method: "get",
  path: "/v1/outcome-types/{name}/quality",
  access: "operator",
  scope: "quality:read",
  tag: TAG,
  summary: "How far an outcome type's verdicts can be trusted",
  description: "What a score is worth by labelled outcomes, and what share of the bills is right by random audits.",
  params: outcomeTypeParams,
  query: qualityQuery,
  answers: { 200: { description: "The figures.", schema: qualitySchema } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;

export const getQualityPage = {
  id: "getQualityPage",
  method: "get",
  path: "/v1/outcome-types/{name}/quality/html",
  access: "operator",
  scope: "quality:read",
  tag: TAG,
  summary: "The same as a page with its diagrams",
  params: outcomeTypeParams,
  query: qualityQuery,
  answers: { 200: { description: "The page.", schema: z.string(), type: HTML_TYPE } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;

export const listQualityAlerts = {
  id: "listQualityAlerts",
  method: "get",
  path: "/v1/quality-alerts",
  access: "operator",
  scope: "quality:read",
  tag: TAG,
  summary: "List alerts, newest first",
  description:
    "One for each time that a version's measured false-bill rate went above its maximum, until it is below again.",
  query: pageQuery.extend({
    state: z.enum(["standing", "cleared"]).optional(),
    outcome_type: outcomeTypeNameSchema.optional(),
  }),
  answers: { 200: { description: "A page of alerts.", schema: pageOf(qualityAlertSchema, "QualityAlertPage") } },
  errors: [],
} as const satisfies Operation;

/** Every endpoint about quality, in the order in which the reference shows them. */
export const QUALITY_OPERATIONS: readonly Operation[] = [
  getQuality,
  getQualityPage,
  listAudits,
  getAudit,
  decideAudit,
  labelJob,
  listQualityAlerts,
];
