/** Requests about jobs, and the answers that are more than a job. */
import { JOB_STATES, RESOLUTIONS } from "@contingent/core/job/job";
import { z } from "zod";
import { errorSchema } from "./errors.ts";
import { anyJobSchema, EXPANSIONS, type Expansion, jobSchema } from "./job.ts";
import {
  cursorParameter,
  idSchema,
  instantParameter,
  jsonSchema,
  limitParameter,
  metadataSchema,
  outcomeKeySchema,
  outcomeTypeNameSchema,
  pageOf,
  timestampSchema,
  waitParameter,
} from "./values.ts";

export const createJobSchema = z
  .strictObject({
    outcome_type: outcomeTypeNameSchema,
    input: jsonSchema.meta({ description: "What to work on; must fit the outcome type's input schema.", override: {} }),
    outcome_key: outcomeKeySchema.optional(),
    metadata: metadataSchema.optional(),
  })
  .meta({
    id: "CreateJob",
    examples: [
      {
        outcome_type: "data-extraction",
        input: { document: "Invoice 2026-0042 …" },
        outcome_key: "invoice-2026-0042",
        metadata: { batch: "november" },
      },
    ],
  });

export type CreateJobBody = z.output<typeof createJobSchema>;

/** `expand[]=a,b` and `expand[]=a&expand[]=b` mean the same. */
const expandParameter = z
  .union([z.string(), z.array(z.string())])
  .transform((given, context): readonly Expansion[] => {
    const names = (Array.isArray(given) ? given : [given]).flatMap((text) => text.split(","));
    return names.flatMap((name) => {
      const known = EXPANSIONS.find((expansion) => expansion === name.trim());
      if (known !== undefined) return [known];
      context.addIssue({ code: "custom", message: `must be one of ${EXPANSIONS.join(", ")}` });
      return [];
    });
  })
  .optional()
  .meta({
    description: "Parts to show in full.",
    override: ({ jsonSchema }) => {
      delete jsonSchema.anyOf;
      Object.assign(jsonSchema, { type: "array", items: { type: "string", enum: [...EXPANSIONS] } });
    },
  });

export const createJobHeaders = z.object({
  "idempotency-key": z
    .string()
    .optional()
    .meta({
      description:
        "A unique value per request: repeating the request with it returns the same answer and makes no second job, for as long as the deployment keeps answers (30 days unless it says otherwise). An `outcome_key` is for ever.",
      examples: ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    }),
  prefer: z
    .string()
    .optional()
    .meta({
      description:
        "`wait=N`: wait up to N seconds (at most 60) for the result; then the answer is 200 with the closed job, or 202 with the outcome that awaits your acceptance.",
      examples: ["wait=30"],
    }),
});

export const jobParams = z.strictObject({ id: idSchema("job") });

export const getJobQuery = z.strictObject({ wait: waitParameter, "expand[]": expandParameter });

export const listJobsQuery = z.strictObject({
  state: z.enum(JOB_STATES).optional(),
  resolution: z.enum(RESOLUTIONS).optional(),
  outcome_type: outcomeTypeNameSchema.optional(),
  outcome_key: outcomeKeySchema.optional(),
  created_from: instantParameter.meta({ description: "Only jobs created at or after this time." }),
  created_until: instantParameter.meta({ description: "Only jobs created before this time." }),
  customer_id: idSchema("cus").optional().meta({ description: "Operators only: the jobs of one customer." }),
  limit: limitParameter,
  cursor: cursorParameter,
  "expand[]": expandParameter,
});

export const jobPageSchema = pageOf(anyJobSchema, "JobPage");

export const jobEventSchema = z
  .object({
    object: z.literal("event"),
    job: idSchema("job"),
    revision: z.int().min(1).meta({ description: "Rises by one with every event of a job; also the event's `id:`." }),
    type: z.string().meta({ examples: ["job.escalated"] }),
    at: timestampSchema,
    data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: "JobEvent" });

export type JobEventBody = z.output<typeof jobEventSchema>;

export const jobEventsHeaders = z.object({
  "last-event-id": z
    .string()
    .optional()
    .meta({ description: "Revision of the last event that was received: the stream goes on after it." }),
});

/** One line of a bulk answer. */
export const bulkLineSchema = z
  .object({
    line: z.int().min(1).meta({ description: "Number of the request's line, from 1; answers come in the same order." }),
    status: z.int().meta({ description: "The HTTP status that the line would have got as a request of its own." }),
    job: jobSchema.optional(),
    existing: z.literal(true).optional().meta({ description: "The outcome_key was used before: this is that job." }),
    error: errorSchema.shape.error.optional(),
  })
  .meta({ id: "BulkLine" });

export type BulkLine = z.output<typeof bulkLineSchema>;
