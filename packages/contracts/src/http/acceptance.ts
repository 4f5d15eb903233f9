/** A customer's decision on an outcome that was handed over for acceptance. */
import { REJECTION_CHARACTERS_MAX } from "@contingent/core/verdict";
import { z } from "zod";
import { anyJobSchema } from "./job.ts";
import { jobParams } from "./jobs.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { idSchema } from "./values.ts";

const reason = z.string().min(1).max(REJECTION_CHARACTERS_MAX).regex(/\S/, { error: "must say something" });

const decided = {
  verdict: idSchema("vrd").optional().meta({
    description:
      "The verdict of the outcome that you decide on (`expand[]=verdict` shows it). With it a request that is repeated cannot meet another outcome, where rejected ones are reworked.",
  }),
};

export const acceptanceSchema = z
  .discriminatedUnion("decision", [
    z.strictObject({ decision: z.literal("accept"), reason: reason.optional(), ...decided }),
    z.strictObject({
      decision: z.literal("reject"),
      reason: reason.meta({
        description: "What is wrong with it. Where the outcome type allows rework, the next attempt is told.",
      }),
      ...decided,
    }),
  ])
  .meta({ id: "Acceptance", examples: [{ decision: "reject", reason: "The due date is missing." }] });

export type AcceptanceBody = z.output<typeof acceptanceSchema>;

export const acceptJob = {
  id: "acceptJob",
  method: "post",
  path: "/v1/jobs/{id}/acceptance",
  access: "any",
  scope: "jobs:write",
  tag: "Jobs",
  summary: "Accept or reject an outcome",
  description:
    "While the job is `awaiting_acceptance` and `settles_at` has not passed. An accepted outcome is charged; a rejected one is not, and is worked on again where its outcome type allows it. The same decision twice is the same as once.",
  params: jobParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: acceptanceSchema },
  answers: { 200: { description: "The job, decided upon.", schema: anyJobSchema } },
  errors: [...BODY_ERRORS, "job_not_found", "job_not_awaiting_acceptance"],
} as const satisfies Operation;
