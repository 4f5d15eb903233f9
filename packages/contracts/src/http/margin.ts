/** What was earned, given away and paid for, by whatever it is asked by. */
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { dayParameter, idSchema, moneySchema, outcomeTypeNameSchema } from "./values.ts";

export const MARGIN_DIMENSIONS = ["day", "customer", "outcome_type", "outcome_type_version", "tier", "model"] as const;
export type MarginDimensionName = (typeof MARGIN_DIMENSIONS)[number];
type Dimensions = readonly [MarginDimensionName, ...MarginDimensionName[]];

/** `group_by=day,tier`: each name once. */
const groupByParameter: z.ZodOptional<z.ZodPipe<z.ZodString, z.ZodTransform<Dimensions, string>>> = z
  .string()
  .transform((text, context) => {
    const names = text.split(",");
    const [first, ...others] = names.flatMap((name) => MARGIN_DIMENSIONS.find((known) => known === name) ?? []);
    if (first !== undefined && others.length + 1 === names.length && new Set(names).size === names.length) {
      return [first, ...others] as const;
    }
    context.addIssue({
      code: "custom",
      message: `must be some of ${MARGIN_DIMENSIONS.join(", ")}, with commas between`,
    });
    return z.NEVER;
  })
  .optional()
  .meta({
    override: { type: "string", examples: ["day,tier"] },
    description: `What each line is of: some of ${MARGIN_DIMENSIONS.join(", ")}, with commas between. \`outcome_type\` unless given.`,
  });

export const marginQuery = z.strictObject({
  group_by: groupByParameter,
  from: dayParameter.meta({ description: "From this day of UTC on, such as 2026-11-01." }),
  until: dayParameter.meta({ description: "Before this day of UTC." }),
  outcome_type: outcomeTypeNameSchema.optional(),
  customer_id: idSchema("cus").optional(),
});

const figures = {
  jobs: z.int().meta({ description: "Closed, on these days." }),
  billed: z.int(),
  partial: z.int(),
  failed: z.int(),
  calls: z.int().meta({ description: "Requests to models for these jobs." }),
  revenue: moneySchema,
  credits: moneySchema.meta({ description: "Given back of it." }),
  adjustments: moneySchema.meta({
    description: "What whole periods take off: allowances, bands, discounts, rounding. They belong to no single job.",
  }),
  cost: moneySchema.meta({ description: "Of all jobs, those that failed or are open included." }),
  absorbed_cost: moneySchema.meta({ description: "The part of the cost that was for jobs closed without a charge." }),
  margin: moneySchema.meta({ description: "Revenue less credits, adjustments and cost." }),
  margin_share: z
    .number()
    .nullable()
    .meta({ description: "Of what is left of the revenue after credits and adjustments, to the nearest millionth." }),
};

const nowhere = "Null where something belongs to none, such as a discount to no tier.";

export const marginLineSchema = z
  .object({
    day: z.iso.date().optional(),
    customer_id: idSchema("cus").nullable().optional().meta({ description: nowhere }),
    outcome_type: outcomeTypeNameSchema.nullable().optional().meta({ description: nowhere }),
    outcome_type_version: z.int().nullable().optional().meta({ description: nowhere }),
    tier: z
      .string()
      .nullable()
      .optional()
      .meta({
        description: `Of revenue and jobs: the one whose attempt decided, or else the last one. Of costs: the one that cost. ${nowhere}`,
      }),
    model: z.string().nullable().optional().meta({ description: "Like the tier." }),
    ...figures,
  })
  .meta({ id: "MarginLine" });

export const marginSchema = z
  .object({
    object: z.literal("margin"),
    lines: z.array(marginLineSchema).meta({ description: "In the order of what they are grouped by; at most 1000." }),
    has_more: z.boolean().meta({ description: "There are more lines: group by less, or ask for fewer days." }),
    totals: z.object(figures).meta({ description: "Of all lines, listed or not." }),
  })
  .meta({ id: "Margin" });

export type MarginBody = z.output<typeof marginSchema>;

export const getMargin = {
  id: "getMargin",
  method: "get",
  path: "/v1/margin",
  access: "operator",
  scope: "books:read",
  tag: "Operator",
  summary: "What is left of what was earned",
  description:
    "Exact at this moment. The margins add up to the accounts of profit and loss. Days are those of the customers' own time, as on their statements; a job's own margin stands in the job.",
  query: marginQuery,
  answers: { 200: { description: "A line for each group, and the totals.", schema: marginSchema } },
  errors: [],
} as const satisfies Operation;
