/** What a version's closed jobs say about its price. How it is computed is in core/economics. */
import { parseMoney } from "@contingent/core/money";
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { outcomeTypeVersionParams } from "./outcome-types.ts";
import { amountSchema, instantParameter, moneySchema, outcomeTypeNameSchema, shareParameter } from "./values.ts";

export const MARGIN_DEFAULT = "0.4";

const share = z.number().meta({ description: "To the nearest millionth." });

export const priceRecommendationQuery = z.strictObject({
  margin: shareParameter
    .optional()
    .meta({ description: `Share of the price that is to be left after all costs; ${MARGIN_DEFAULT} unless given.` }),
  fee_share: shareParameter.optional().meta({ description: "Share of the price that taking the payment costs." }),
  fee_fixed: amountSchema
    .refine((text) => (parseMoney(text) ?? 0n) >= 0n, { error: "must not be negative" })
    .optional()
    .meta({ description: "What taking a payment costs besides." }),
  since: instantParameter.meta({ description: "Only jobs closed at or after this time." }),
});

export const priceRecommendationSchema = z
  .object({
    object: z.literal("price_recommendation"),
    outcome_type: outcomeTypeNameSchema,
    version: z.int().min(1),
    status: z.enum(["point_estimate", "insufficient_data"]),
    reason: z
      .enum(["too_few_jobs", "nothing_billed"])
      .nullable()
      .meta({ description: "Why there is no price: fewer than 30 closed jobs, or none that was billed." }),
    jobs: z.int().meta({ description: "Closed jobs of the version; open ones are left out." }),
    success: z.int(),
    partial: z.int(),
    failed: z.int(),
    success_rate: share.nullable(),
    billable_outcomes: share.meta({
      description: "The jobs' billable fractions added up, net of credits: a half-price partial is a half.",
    }),
    cost: moneySchema.meta({ description: "Of all attempts of all these jobs." }),
    cost_per_billable_outcome: moneySchema
      .nullable()
      .meta({ description: "All costs, those of failed jobs included, for each outcome that was billed." }),
    cost_per_job: z.object({ p50: moneySchema.nullable(), p95: moneySchema.nullable() }),
    list_price: moneySchema.nullable().meta({
      description: "The version's own price for a full outcome; null where each outcome brings its own value.",
    }),
    floor_price: moneySchema.nullable().meta({ description: "Nothing is earned and nothing lost at it." }),
    target_price: moneySchema.nullable().meta({ description: "It leaves the margin." }),
  })
  .meta({ id: "PriceRecommendation" });

export type PriceRecommendationBody = z.output<typeof priceRecommendationSchema>;

export const getPriceRecommendation = {
  id: "getPriceRecommendation",
  method: "get",
  path: "/v1/outcome-types/{name}/versions/{version}/price-recommendation",
  access: "operator",
  scope: "books:read",
  tag: "Outcome types",
  summary: "What a version should cost, by what its closed jobs have cost",
  description:
    "A point estimate. The costs of failed jobs are borne by the billed ones. With fewer than 30 closed jobs, or none that was billed, there is no price.",
  params: outcomeTypeVersionParams,
  query: priceRecommendationQuery,
  answers: { 200: { description: "The figures, and the prices they call for.", schema: priceRecommendationSchema } },
  errors: ["outcome_type_not_found"],
} as const satisfies Operation;
