/** How long customers' texts are kept, and how they are erased. */
import { z } from "zod";
import { customerParams, customerSchema } from "./customers.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { idSchema, retentionDaysSchema, timestampSchema } from "./values.ts";

const TAG = "Customers";

export const putRetention = {
  id: "putRetention",
  method: "put",
  path: "/v1/customers/{id}/retention",
  access: "operator",
  scope: "customers:write",
  tag: TAG,
  summary: "Say for how long a customer's texts are kept",
  description:
    "Input, metadata, answers, findings and what reviewers said of a job are dropped so many days after it was closed, by the customer's clock. Hashes, verdicts and the books stay. An outcome type may say a shorter time for its jobs (`payload_retention_days`). Texts that somebody may still have to look at, for an open dispute or audit, wait for that.",
  params: customerParams,
  query: z.strictObject({}),
  body: {
    type: JSON_TYPE,
    schema: z
      .strictObject({
        payload_days: retentionDaysSchema.nullable().meta({ description: "Null: they are kept." }),
      })
      .meta({ id: "Retention", examples: [{ payload_days: 90 }] }),
  },
  answers: { 200: { description: "The customer, changed.", schema: customerSchema } },
  errors: [...BODY_ERRORS, "customer_not_found"],
} as const satisfies Operation;

export const erasePayloads = {
  id: "erasePayloads",
  method: "post",
  path: "/v1/customers/{id}/erase-payloads",
  access: "operator",
  scope: "customers:write",
  tag: TAG,
  summary: "Erase all texts of a customer",
  description:
    "The key that they are sealed with is destroyed at once, which makes them unreadable in every copy, backups included; every process forgets it within 5 s. What was stored unsealed is dropped within minutes. Verdicts and the books stay. Again: erases what has been written since.",
  params: customerParams,
  query: z.strictObject({}),
  answers: {
    200: {
      description: "Erased.",
      schema: z
        .object({
          object: z.literal("erasure"),
          customer: idSchema("cus"),
          keys: z
            .int()
            .meta({ description: "How many keys were destroyed; 0: nothing was sealed since the last time." }),
          erased_until: timestampSchema.meta({
            description: "Texts of jobs that were closed until then are dropped. By the customer's clock.",
          }),
        })
        .meta({ id: "Erasure" }),
    },
  },
  errors: ["customer_not_found", "jobs_open"],
} as const satisfies Operation;
