/** What a customer and the operator should be told of an account. */
import { z } from "zod";
import type { Operation } from "./operation.ts";
import { pageQuery } from "./outcome-types.ts";
import { idSchema, jsonObjectSchema, pageOf, timestampSchema } from "./values.ts";

const TYPE_CHARACTERS_MAX = 100;

const type = z
  .string()
  .max(TYPE_CHARACTERS_MAX)
  .regex(/^[a-z_]+(\.[a-z_]+)+$/, { error: "must be a type of event, such as prepaid.balance_low" })
  .meta({
    description:
      "`spending_limit.threshold_reached`, `prepaid.balance_low`, `grant.expired`; there may be others later.",
    examples: ["prepaid.balance_low"],
  });

export const customerEventSchema = z
  .object({
    id: idSchema("evt"),
    object: z.literal("customer_event"),
    customer_id: idSchema("cus"),
    type,
    data: jsonObjectSchema.meta({ description: "The numbers. Amounts are decimal numbers in text." }),
    at: timestampSchema.meta({ description: "By the customer's clock." }),
  })
  .meta({ id: "CustomerEvent" });

export type CustomerEventBody = z.output<typeof customerEventSchema>;

export const listEvents = {
  id: "listEvents",
  method: "get",
  path: "/v1/events",
  access: "any",
  scope: "billing:read",
  tag: "Customers",
  summary: "List events of accounts, newest first",
  description: "Of all customers for operators, of their own for customers. Each is told once.",
  query: pageQuery.extend({ customer_id: idSchema("cus").optional(), type: type.optional() }),
  answers: { 200: { description: "A page of events.", schema: pageOf(customerEventSchema, "CustomerEventPage") } },
  errors: ["wrong_scope"],
} as const satisfies Operation;
