/** A customer's test clock: time that passes when an operator says so. */
import { z } from "zod";
import { customerParams } from "./customers.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { idSchema, timestampSchema } from "./values.ts";

/** Ten years. */
const ADVANCE_MAX_MS = 3_652 * 24 * 3_600_000;

export const testClockSchema = z
  .union([
    z.strictObject({ advance_ms: z.int().min(1).max(ADVANCE_MAX_MS) }),
    z.strictObject({ now: timestampSchema.meta({ description: "Not before what the customer's clock says." }) }),
  ])
  .meta({ id: "TestClockMove", examples: [{ advance_ms: 86_400_000 }, { now: "2026-12-01T00:00:00Z" }] });

export const moveTestClock = {
  id: "moveTestClock",
  method: "post",
  path: "/v1/customers/{id}/test-clock",
  access: "operator",
  scope: "customers:write",
  tag: "Customers",
  summary: "Move a customer's time forward",
  description:
    "For trying out acceptance windows, expiries and periods in seconds; never in production. Everything of the customer's follows: deadlines and leases of open jobs too. `now` may be repeated safely; each `advance_ms` moves further. It never goes back.",
  params: customerParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: testClockSchema },
  answers: {
    200: {
      description: "What the clock says now.",
      schema: z
        .object({
          object: z.literal("test_clock"),
          customer_id: idSchema("cus"),
          now: timestampSchema,
          offset_ms: z.int(),
        })
        .meta({ id: "TestClock" }),
    },
  },
  errors: [...BODY_ERRORS, "customer_not_found", "test_clock_disabled"],
} as const satisfies Operation;
