/** What an attempt cost, and the later truth of it. */
import { parseMoney } from "@contingent/core/money";
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { amountSchema, idSchema, moneySchema, reasonSchema, timestampSchema } from "./values.ts";

/** No call of any model comes near it: above, something else was meant. */
const COST_MAX = parseMoney("1000000") ?? 0n;

export const attemptParams = z.strictObject({ id: idSchema("att") });

export const correctCostSchema = z
  .strictObject({
    amount: amountSchema
      .refine((text) => (parseMoney(text) ?? 0n) >= 0n, { error: "must not be negative" })
      .refine((text) => (parseMoney(text) ?? 0n) <= COST_MAX, { error: "must be at most 1000000" })
      .meta({ description: "What the attempt cost altogether, in USD. Not the difference." }),
    reason: reasonSchema.meta({ description: "How that is known now." }),
  })
  .meta({ id: "CorrectCost" });

export const attemptCostSchema = z
  .object({
    object: z.literal("attempt_cost"),
    attempt: idSchema("att"),
    job: idSchema("job"),
    provider: z.string(),
    model: z.string(),
    basis: z.enum(["estimated", "reported", "corrected"]).nullable().meta({
      description:
        "estimated: its worst case, because the answer was lost; reported: by the provider's usage and the rate of the call; corrected: by an operator, later. Null while it runs, and when it never reached a provider.",
    }),
    cost: moneySchema,
    reserve: moneySchema.meta({ description: "The most that it was expected to cost." }),
    corrections: z
      .array(
        z.object({
          version: z.int().min(1),
          previous: moneySchema,
          amount: moneySchema,
          difference: moneySchema.meta({ description: "What was booked." }),
          reason: z.string(),
          corrected_by: idSchema("key"),
          corrected_at: timestampSchema,
        }),
      )
      .meta({ description: "The latest one first." }),
  })
  .meta({ id: "OperatorAttemptCost" });

export type AttemptCostBody = z.output<typeof attemptCostSchema>;

export const getAttemptCost = {
  id: "getAttemptCost",
  method: "get",
  path: "/v1/attempts/{id}/cost",
  access: "operator",
  scope: "books:read",
  tag: "Costs",
  summary: "Read what an attempt cost, and how that is known",
  params: attemptParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The cost with its history.", schema: attemptCostSchema } },
  errors: ["attempt_not_found"],
} as const satisfies Operation;

export const correctCost = {
  id: "correctCost",
  method: "post",
  path: "/v1/attempts/{id}/cost",
  access: "operator",
  scope: "books:write",
  tag: "Costs",
  summary: "Correct what an attempt cost",
  description:
    "Books the difference to what was booked before, and keeps the reason. What customers are charged does not change. The same amount again changes nothing.",
  params: attemptParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: correctCostSchema },
  answers: { 200: { description: "The cost as it stands now.", schema: attemptCostSchema } },
  errors: [...BODY_ERRORS, "attempt_not_found", "attempt_cost_open"],
} as const satisfies Operation;
