/** Prepaid money: what comes in, and what is left of it. */
import { GRANT_KINDS } from "@contingent/core/books/grants";
import { parseMoney, ZERO } from "@contingent/core/money";
import { z } from "zod";
import { customerParams } from "./customers.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { pageQuery } from "./outcome-types.ts";
import { amountSchema, idSchema, moneySchema, outcomeTypeNameSchema, pageOf, timestampSchema } from "./values.ts";

const REF_CHARACTERS_MAX = 255;
const OUTCOME_TYPES_MAX = 100;
const PRIORITY_MAX = 1_000_000;
/** What was given away is spent before what was paid for. */
export const PRIORITY_DEFAULTS = { promotion: 50, top_up: 100 } as const;

const priority = z.int().min(0).max(PRIORITY_MAX).meta({
  description: "The lower, the earlier it is spent; of equal ones first what expires first, then what came in first.",
});

const fields = z.strictObject({
  ref: z
    .string()
    .min(1)
    .max(REF_CHARACTERS_MAX)
    .meta({
      description: "Your own name for it: the same reference never brings money in twice.",
      examples: ["bank-20261124-17"],
    }),
  amount: amountSchema.refine((text) => (parseMoney(text) ?? ZERO) > ZERO, { error: "must be more than zero" }),
  priority: priority.default(PRIORITY_DEFAULTS.top_up),
  expires_at: timestampSchema
    .nullable()
    .default(null)
    .meta({ description: "By the customer's clock. What is left of it then is lost; never unless given." }),
  outcome_types: z
    .array(outcomeTypeNameSchema)
    .min(1)
    .max(OUTCOME_TYPES_MAX)
    .refine((names) => new Set(names).size === names.length, { error: "must not have the same name twice" })
    .nullable()
    .default(null)
    .meta({ description: "What it may be spent on; everything unless given." }),
});

function incoming(priorityDefault: number): typeof fields {
  return fields.extend({ priority: priority.default(priorityDefault) });
}

export const topUpSchema = incoming(PRIORITY_DEFAULTS.top_up).meta({ id: "TopUp" });
export const promotionSchema = incoming(PRIORITY_DEFAULTS.promotion).meta({ id: "Promotion" });
export type IncomingDefinition = z.output<typeof fields>;

export const grantSchema = z
  .object({
    id: idSchema("gra"),
    object: z.literal("grant"),
    customer_id: idSchema("cus"),
    kind: z.enum(GRANT_KINDS),
    ref: z.string(),
    amount: moneySchema,
    available: moneySchema.meta({ description: "Neither spent nor held for an open job." }),
    priority: z.int(),
    expires_at: timestampSchema.nullable(),
    outcome_types: z.array(outcomeTypeNameSchema).nullable(),
    created_at: timestampSchema,
  })
  .meta({ id: "Grant" });

export type GrantBody = z.output<typeof grantSchema>;

const BRINGS_IN = {
  method: "post",
  access: "operator",
  scope: "billing:write",
  tag: "Customers",
  params: customerParams,
  query: z.strictObject({}),
  answers: {
    200: { description: "This very money came in before.", schema: grantSchema },
    201: { description: "It came in.", schema: grantSchema },
  },
  errors: [...BODY_ERRORS, "customer_not_found", "not_prepaid", "grant_ref_reused"],
} as const;

export const createTopUp = {
  ...BRINGS_IN,
  id: "createTopUp",
  path: "/v1/customers/{id}/top-ups",
  summary: "Record money that a customer has paid in",
  body: { type: JSON_TYPE, schema: topUpSchema },
} as const satisfies Operation;

export const createGrant = {
  ...BRINGS_IN,
  id: "createGrant",
  path: "/v1/customers/{id}/grants",
  summary: "Give a customer prepaid money",
  description: "Promotional: it is spent before what was paid for, unless its priority says otherwise.",
  body: { type: JSON_TYPE, schema: promotionSchema },
} as const satisfies Operation;

export const listGrants = {
  id: "listGrants",
  method: "get",
  path: "/v1/customers/{id}/grants",
  access: "any",
  scope: "billing:read",
  tag: "Customers",
  summary: "List a customer's prepaid money, newest first",
  description: "Also what is spent or has expired. Customers may list their own.",
  params: customerParams,
  query: pageQuery,
  answers: { 200: { description: "A page of grants.", schema: pageOf(grantSchema, "GrantPage") } },
  errors: ["customer_not_found"],
} as const satisfies Operation;
