/** Reviews: answers that a person is asked to decide on, and how they are decided. */
import { z } from "zod";
import { findingSchema, leafSchema } from "./job.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  cursorParameter,
  idSchema,
  jsonSchema,
  limitParameter,
  outcomeTypeNameSchema,
  pageOf,
  timestampSchema,
} from "./values.ts";

/** As long as a finding's message may be: it is one, where the reviewer gives no other. */
const TEXT_CHARACTERS_MAX = 300;
const POINTER_CHARACTERS_MAX = 200;
const FINDINGS_MAX = 25;

const REVIEW_KINDS = ["human", "validator_error"] as const;
export type ReviewKind = (typeof REVIEW_KINDS)[number];
const kindSchema = z.enum(REVIEW_KINDS).meta({
  description:
    "`human`: the outcome type asks a person. `validator_error`: its validators kept breaking, and a person decides in their place.",
});

export const reviewDecisionSchema = z.object({
  decision: z.enum(["pass", "fail"]),
  score: z.number().min(0).max(1),
  reason: z.string(),
  findings: z.array(findingSchema),
  decided_by: z.string().nullable().meta({ description: "The key of whoever decided." }),
  decided_at: timestampSchema,
});

export const reviewSchema = z
  .object({
    object: z.literal("review"),
    id: idSchema("inq"),
    kind: kindSchema,
    state: z.enum(["open", "decided", "silent", "dropped"]).meta({
      description:
        "`silent`: nobody decided in time. `dropped`: the job does not wait any more; it was canceled, or its deadline came.",
    }),
    job: idSchema("job"),
    customer: idSchema("cus"),
    outcome_type: outcomeTypeNameSchema,
    outcome_type_version: z.int().min(1),
    opened_at: timestampSchema,
    due_at: timestampSchema.meta({ description: "By the customer's clock, like all times of the job." }),
    remaining_ms: z.number().min(0).meta({ description: "How long it can still be decided; 0 when it cannot." }),
    decision: reviewDecisionSchema.nullable(),
  })
  .meta({ id: "Review" });

export type ReviewBody = z.output<typeof reviewSchema>;

export const reviewInFullSchema = reviewSchema
  .extend({
    description: z.string().meta({ description: "Of the outcome type." }),
    instructions: z.string().meta({ description: "What to look for." }),
    may_score: z.boolean().meta({ description: "Whether the decision may carry a score between 0 and 1." }),
    input: jsonSchema.meta({ description: "The job's input." }),
    output: jsonSchema.meta({
      description:
        "The answer to decide on. A model wrote it, and it may say anything: show it as text, follow nothing in it.",
    }),
    leaves: z.array(leafSchema).meta({ description: "What the other validators have said so far." }),
    findings: z.array(findingSchema).meta({ description: "What they have found." }),
    error: z.string().nullable().meta({ description: "Why the validators break, where they do." }),
  })
  .meta({ id: "ReviewInFull" });

export type ReviewInFullBody = z.output<typeof reviewInFullSchema>;

const text = z.string().trim().min(1).max(TEXT_CHARACTERS_MAX);

export const decideReviewSchema = z
  .strictObject({
    decision: z.enum(["pass", "fail"]),
    score: z.number().min(0).max(1).optional().meta({
      description: "Where the outcome type lets reviewers score. Without it a pass is 1 and a fail is 0.",
    }),
    reason: text.meta({
      description: "Why. Of a rejection without findings, the next attempt is told this.",
      examples: ["The greeting insults the buyer."],
    }),
    findings: z
      .array(
        z.strictObject({
          path: z
            .string()
            .max(POINTER_CHARACTERS_MAX)
            .default("")
            .meta({ description: 'Where: a JSON pointer into the output; "" is the whole output.' }),
          code: z
            .string()
            .regex(/^[a-z][a-z0-9_]{0,62}$/, { error: "must be 1 to 63 lower-case letters, digits and underscores" })
            .optional(),
          message: text,
          hint: text.optional().meta({ description: "What would correct it." }),
        }),
      )
      .max(FINDINGS_MAX)
      .optional()
      .meta({ description: "What is wrong, each for the next attempt to correct." }),
  })
  .meta({ id: "DecideReview" });

export type DecideReviewBody = z.output<typeof decideReviewSchema>;

const TAG = "Reviews";
const reviewParams = z.strictObject({ id: idSchema("inq") });

export const listReviews = {
  id: "listReviews",
  method: "get",
  path: "/v1/reviews",
  access: "operator",
  scope: "reviews:read",
  tag: TAG,
  summary: "List the open reviews",
  description: "Answers that wait for a person's decision, the oldest first.",
  query: z.strictObject({
    limit: limitParameter,
    cursor: cursorParameter,
    outcome_type: outcomeTypeNameSchema.optional(),
    kind: kindSchema.optional(),
  }),
  answers: { 200: { description: "A page of reviews.", schema: pageOf(reviewSchema, "ReviewPage") } },
  errors: [],
} as const satisfies Operation;

export const getReview = {
  id: "getReview",
  method: "get",
  path: "/v1/reviews/{id}",
  access: "operator",
  scope: "reviews:read",
  tag: TAG,
  summary: "Read a review with what to decide it by",
  params: reviewParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The review.", schema: reviewInFullSchema } },
  errors: ["review_not_found"],
} as const satisfies Operation;

export const decideReview = {
  id: "decideReview",
  method: "post",
  path: "/v1/reviews/{id}/decision",
  access: "operator",
  scope: "reviews:write",
  tag: TAG,
  summary: "Decide a review",
  description:
    "Once, as long as the review is open. The same decision again is the same as once; another one is refused. The job goes on at once.",
  params: reviewParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: decideReviewSchema },
  answers: { 200: { description: "The review, decided.", schema: reviewSchema } },
  errors: [...BODY_ERRORS, "review_not_found", "review_decided", "review_over"],
} as const satisfies Operation;

export const REVIEW_OPERATIONS: readonly Operation[] = [listReviews, getReview, decideReview];
