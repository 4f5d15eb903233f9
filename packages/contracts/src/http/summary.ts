/** What was sold, given away and paid for: the operator's overview. */
import { z } from "zod";
import { idSchema, instantParameter, moneySchema, outcomeTypeNameSchema } from "./values.ts";

const figures = {
  jobs: z.int(),
  open: z.int(),
  success: z.int(),
  partial: z.int(),
  failed: z.int(),
  attempts: z.int(),
  escalations: z.int(),
  billed: moneySchema,
  credited: moneySchema.meta({ description: "Given back of it." }),
  model_cost: moneySchema.meta({ description: "What models, and whoever else is paid for verdicts, cost." }),
  absorbed_cost: moneySchema.meta({ description: "Model cost of closed jobs that were not billed." }),
  margin: moneySchema.meta({ description: "Billed minus credited minus model cost." }),
};

export const summaryLineSchema = z
  .object({ outcome_type: outcomeTypeNameSchema, ...figures })
  .meta({ id: "SummaryLine" });

export const summarySchema = z
  .object({ object: z.literal("summary"), outcome_types: z.array(summaryLineSchema), totals: z.object(figures) })
  .meta({ id: "Summary" });

export type SummaryBody = z.output<typeof summarySchema>;

export const summaryQuery = z.strictObject({
  customer_id: idSchema("cus").optional(),
  created_from: instantParameter.meta({ description: "Only jobs created at or after this time." }),
  created_until: instantParameter.meta({ description: "Only jobs created before this time." }),
});
