/** Dead letters: jobs that the system, and not a model, could not finish; looked at, done once more, or dismissed. */
import { DEAD_LETTER_CAUSES, DEAD_LETTER_STATES } from "@contingent/core/job/dead-letter";
import { REASONS } from "@contingent/core/job/job";
import { z } from "zod";
import { jobParams } from "./jobs.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  cursorParameter,
  idSchema,
  instantParameter,
  limitParameter,
  moneySchema,
  outcomeTypeNameSchema,
  pageOf,
  reasonSchema,
  timestampSchema,
} from "./values.ts";

export const REDRIVEN_AT_ONCE_MAX = 500;
export const REDRIVEN_AT_ONCE_DEFAULT = 100;

const causeSchema = z.enum(DEAD_LETTER_CAUSES).meta({
  description:
    "`validator_error`: its validators kept breaking. `worker_lost`: whoever attempted it vanished, to the last. `not_attempted`, `not_judged`: the deadline came before anybody got to it.",
});

export const deadLetterSchema = z
  .object({
    object: z.literal("dead_letter"),
    job: idSchema("job"),
    customer: idSchema("cus"),
    outcome_type: outcomeTypeNameSchema,
    outcome_type_version: z.int().min(1),
    cause: causeSchema,
    reason: z.enum(REASONS).meta({ description: "As the customer sees it in the job." }),
    attempts: z.int().min(0),
    cost: moneySchema.meta({ description: "What the job has cost; the customer was charged nothing." }),
    accepted_at: timestampSchema,
    died_at: timestampSchema,
    state: z.enum(DEAD_LETTER_STATES),
    redrive_of: idSchema("job")
      .nullable()
      .meta({ description: "The job that this one had been to do once more: it has died again." }),
    redriven_as: idSchema("job").nullable().meta({ description: "The job that does it once more." }),
    dismissed_because: z.string().nullable(),
    ended_by: z.string().nullable().meta({ description: "The key of whoever ended it, or tried to last." }),
    ended_at: timestampSchema.nullable(),
  })
  .meta({ id: "DeadLetter" });

export type DeadLetterBody = z.output<typeof deadLetterSchema>;

export const deadLetterInFullSchema = deadLetterSchema
  .extend({
    attempt_list: z.array(
      z.object({
        id: idSchema("att"),
        number: z.int().min(1),
        tier: z.string(),
        model: z.string(),
        outcome: z.string().nullable(),
        error: z.string().nullable().meta({ description: "Why there is no answer." }),
        started_at: timestampSchema,
        ended_at: timestampSchema.nullable(),
      }),
    ),
    faults: z
      .array(
        z.object({
          cause: z.enum(["validator_error", "validator_lost", "unanswered"]).meta({
            description:
              "`validator_lost`: the process that judged it died. `unanswered`: whoever was asked about it did not answer with anything of use.",
          }),
          attempt: idSchema("att"),
          error: z.string().nullable(),
          at: timestampSchema,
        }),
      )
      .meta({ description: "What broke while it held the job: the last 20, the newest first." }),
  })
  .meta({ id: "DeadLetterInFull" });

export type DeadLetterInFullBody = z.output<typeof deadLetterInFullSchema>;

export const dismissDeadLetterSchema = z
  .strictObject({
    reason: reasonSchema.meta({
      description: "Why it is not done once more; kept.",
      examples: ["The customer has asked for it anew."],
    }),
  })
  .meta({ id: "DismissDeadLetter" });

export const redriveManySchema = z
  .strictObject({
    cause: causeSchema.optional(),
    outcome_type: outcomeTypeNameSchema.optional(),
    customer: idSchema("cus").optional(),
    died_from: timestampSchema.optional().meta({ description: "Those that died at this instant or later." }),
    died_until: timestampSchema.optional().meta({ description: "And before this one." }),
    limit: z.int().min(1).max(REDRIVEN_AT_ONCE_MAX).default(REDRIVEN_AT_ONCE_DEFAULT),
    cursor: idSchema("job").optional().meta({ description: "`next_cursor` of the answer before: goes on behind it." }),
  })
  .meta({ id: "RedriveDeadLetters" });

export const redrivenManySchema = z
  .object({
    object: z.literal("redrive"),
    redriven: z.array(z.object({ job: idSchema("job"), redriven_as: idSchema("job") })),
    refused: z
      .array(z.object({ job: idSchema("job"), code: z.string(), message: z.string() }))
      .meta({ description: "Those that stay open, and why: the customer has no money left for it, for example." }),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Pass it as `cursor` to go on; null: there are no further ones." }),
  })
  .meta({ id: "RedrivenDeadLetters" });

export type RedrivenManyBody = z.output<typeof redrivenManySchema>;

const TAG = "Dead letters";

export const listDeadLetters = {
  id: "listDeadLetters",
  method: "get",
  path: "/v1/dead-letters",
  access: "operator",
  scope: "system:read",
  tag: TAG,
  summary: "List dead letters",
  description:
    "Jobs that ended unbilled because the system broke, and not because a model was not good enough; the oldest first.",
  query: z.strictObject({
    state: z.enum(DEAD_LETTER_STATES).optional(),
    cause: causeSchema.optional(),
    outcome_type: outcomeTypeNameSchema.optional(),
    customer: idSchema("cus").optional(),
    died_from: instantParameter,
    died_until: instantParameter,
    limit: limitParameter,
    cursor: cursorParameter,
  }),
  answers: { 200: { description: "A page of dead letters.", schema: pageOf(deadLetterSchema, "DeadLetterPage") } },
  errors: ["invalid_field"],
} as const satisfies Operation;

export const getDeadLetter = {
  id: "getDeadLetter",
  method: "get",
  path: "/v1/dead-letters/{id}",
  access: "operator",
  scope: "system:read",
  tag: TAG,
  summary: "Read a dead letter with what broke",
  description: "By the id of its job.",
  params: jobParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The dead letter.", schema: deadLetterInFullSchema } },
  errors: ["dead_letter_not_found"],
} as const satisfies Operation;

export const redriveDeadLetter = {
  id: "redriveDeadLetter",
  method: "post",
  path: "/v1/dead-letters/{id}/redrive",
  access: "operator",
  scope: "system:write",
  tag: TAG,
  summary: "Do a dead letter's job once more",
  description:
    "A new job of the same customer, with the same input, on the same version and at the same price; the customer's money is held for it anew, and both jobs name each other. Once: asked again, it answers with the same job.",
  params: jobParams,
  query: z.strictObject({}),
  answers: {
    200: { description: "It had been redriven before.", schema: deadLetterSchema },
    201: { description: "Redriven.", schema: deadLetterSchema, headers: { Location: "Where to read the new job." } },
  },
  errors: [
    "dead_letter_not_found",
    "dead_letter_ended",
    "payload_erased",
    "insufficient_funds",
    "spending_limit_reached",
    "too_many_open_jobs",
    "deadline_out_of_reach",
  ],
} as const satisfies Operation;

export const redriveDeadLetters = {
  id: "redriveDeadLetters",
  method: "post",
  path: "/v1/dead-letters/redrive",
  access: "operator",
  scope: "system:write",
  tag: TAG,
  summary: "Do the jobs of many dead letters once more",
  description:
    "Of the open ones that fit, the oldest first, at most `limit`. Safe to repeat: what was redriven is not open any more.",
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: redriveManySchema },
  answers: { 200: { description: "What became of them.", schema: redrivenManySchema } },
  errors: [...BODY_ERRORS],
} as const satisfies Operation;

export const dismissDeadLetter = {
  id: "dismissDeadLetter",
  method: "post",
  path: "/v1/dead-letters/{id}/dismiss",
  access: "operator",
  scope: "system:write",
  tag: TAG,
  summary: "Dismiss a dead letter",
  description: "Its job is not done again. The same reason again is the same as once.",
  params: jobParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: dismissDeadLetterSchema },
  answers: { 200: { description: "The dead letter, dismissed.", schema: deadLetterSchema } },
  errors: [...BODY_ERRORS, "dead_letter_not_found", "dead_letter_ended"],
} as const satisfies Operation;

export const DEAD_LETTER_OPERATIONS: readonly Operation[] = [
  listDeadLetters,
  getDeadLetter,
  redriveDeadLetter,
  redriveDeadLetters,
  dismissDeadLetter,
];
