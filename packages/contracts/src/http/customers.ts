/** Customers as operators make and see them, and what a customer sees of their own account. */
import { LIMIT_PERIODS } from "@contingent/core/books/funding";
import { type CustomerId, ID_BODY } from "@contingent/core/ids";
import { parseMoney, ZERO } from "@contingent/core/money";
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { pageQuery } from "./outcome-types.ts";
import { amountSchema, idSchema, moneySchema, outcomeTypeNameSchema, pageOf, timestampSchema } from "./values.ts";

const NAME_CHARACTERS_MAX = 255;
const ALERTS_MAX = 10;
/** A customer's id is a part of other ids, such as a statement's, so it leaves them room. */
const CHOSEN_ID_CHARACTERS_MAX = 32;
const ALERT_SHARES_DEFAULT = [0.8, 1];
/** What the database counts up to. */
const OPEN_JOBS_MAX = 2_147_483_647;

const chosenIdSchema = idSchema("cus")
  .refine((id) => id.length <= "cus_".length + CHOSEN_ID_CHARACTERS_MAX, {
    error: `must have at most ${CHOSEN_ID_CHARACTERS_MAX} characters after cus_`,
  })
  .meta({
    description: "Yours to choose, so that a repeated request makes no second customer. Made up unless given.",
    override: { type: "string", pattern: `^cus_${ID_BODY}$`, maxLength: "cus_".length + CHOSEN_ID_CHARACTERS_MAX },
  });

export const billingWaySchema = z.enum(["on_account", "prepaid"]).meta({
  description:
    "`on_account`: charges are owed until a statement is paid. `prepaid`: jobs are paid from money that came in before.",
});

const notNegative = amountSchema.refine((text) => (parseMoney(text) ?? ZERO) >= ZERO, {
  error: "must not be negative",
});

const limitSchema = z.strictObject({ amount: notNegative, period: z.enum(LIMIT_PERIODS) }).meta({
  description: "The most that charges of the period (UTC) and open holds may come to together.",
});

const alertsSchema = z.strictObject({
  limit_shares: z
    .array(z.number().gt(0).max(1))
    .max(ALERTS_MAX)
    .refine((shares) => new Set(shares).size === shares.length, { error: "must not have the same share twice" })
    .default(ALERT_SHARES_DEFAULT)
    .meta({ description: "Shares of the limit at which an event tells of it, each once in a period." }),
  prepaid_below: notNegative
    .nullable()
    .default(null)
    .meta({ description: "The prepaid balance below which an event tells of it, once until more money comes in." }),
});

const limitsSchema = z.strictObject({
  open_jobs_max: z.int().min(0).max(OPEN_JOBS_MAX).nullable().default(null).meta({
    description: "How many jobs may be open at once; further ones are refused. Null: the deployment's limit.",
  }),
});

const limitsGiven = limitsSchema.default({ open_jobs_max: null });

const alertsGiven = alertsSchema.default({ limit_shares: ALERT_SHARES_DEFAULT, prepaid_below: null });

export const createCustomerSchema = z
  .strictObject({
    id: chosenIdSchema.optional(),
    name: z.string().min(1).max(NAME_CHARACTERS_MAX),
    billing: billingWaySchema.default("on_account"),
    limit: limitSchema.nullable().default(null),
    alerts: alertsGiven,
    limits: limitsGiven,
  })
  .meta({ id: "NewCustomer", examples: [{ name: "Acme Ltd", limit: { amount: "500.00", period: "month" } }] });

export const billingSchema = z
  .strictObject({ billing: billingWaySchema, limit: limitSchema.nullable(), alerts: alertsGiven, limits: limitsGiven })
  .meta({ id: "Billing" });

export type BillingDefinition = z.output<typeof billingSchema>;

const grantLeftSchema = z.object({
  id: idSchema("gra"),
  available: moneySchema,
  priority: z.int(),
  expires_at: timestampSchema.nullable(),
  outcome_types: z.array(outcomeTypeNameSchema).nullable(),
});

/** What customers see of their account too. */
const account = {
  billing: billingWaySchema,
  limit: z.object({ amount: moneySchema, period: z.enum(LIMIT_PERIODS) }).nullable(),
  open_jobs: z.int().min(0).meta({ description: "Jobs that are not closed." }),
  limits: z.object({ open_jobs_max: z.int().nullable() }),
  held: moneySchema.meta({ description: "Held for open jobs: the most that they may cost together." }),
  spent: moneySchema.meta({ description: "Charged since `period_start`." }),
  period_start: timestampSchema.meta({ description: "The beginning of the limit's period; of the month without one." }),
  headroom: moneySchema.nullable().meta({ description: "What the limit leaves for further holds; null without one." }),
  prepaid: z
    .object({
      available: moneySchema.meta({ description: "Neither spent nor held nor expired." }),
      grants: z.array(grantLeftSchema).meta({ description: "Of what it consists, in the order in which it is spent." }),
    })
    .nullable()
    .meta({ description: "Null for a customer who is billed on account." }),
};

export const balanceSchema = z
  .object({ object: z.literal("balance"), customer_id: idSchema("cus"), ...account, now: timestampSchema })
  .meta({ id: "Balance" });

export const customerSchema = z
  .object({
    id: idSchema("cus"),
    object: z.literal("customer"),
    name: z.string(),
    ...account,
    alerts: z.object({ limit_shares: z.array(z.number()), prepaid_below: moneySchema.nullable() }),
    terms: idSchema("trm")
      .nullable()
      .meta({ description: "The terms in force, which a job accepted now would keep; null: list prices." }),
    payload_retention_days: z
      .int()
      .nullable()
      .meta({ description: "For how long after a job is closed its texts are kept; null: for ever." }),
    clock: z.object({
      now: timestampSchema,
      offset_ms: z.int().meta({ description: "By how much a test clock has moved the customer's time ahead." }),
    }),
    created_at: timestampSchema,
  })
  .meta({ id: "Customer" });

export type BalanceBody = z.output<typeof balanceSchema>;
export type CustomerBody = z.output<typeof customerSchema>;

export const customerParams = z.strictObject({ id: idSchema("cus") }) satisfies z.ZodType<{ id: CustomerId }>;

const NO_QUERY = z.strictObject({});

export const createCustomer = {
  id: "createCustomer",
  method: "post",
  path: "/v1/customers",
  access: "operator",
  scope: "customers:write",
  tag: "Customers",
  summary: "Make a customer",
  description: "With an `id` of your own, a repeated request answers with the customer that the first one made.",
  query: NO_QUERY,
  body: { type: JSON_TYPE, schema: createCustomerSchema },
  answers: {
    200: { description: "There is this very customer already.", schema: customerSchema },
    201: { description: "Made.", schema: customerSchema, headers: { Location: "Where to read the customer." } },
  },
  errors: [...BODY_ERRORS, "customer_exists"],
} as const satisfies Operation;

export const listCustomers = {
  id: "listCustomers",
  method: "get",
  path: "/v1/customers",
  access: "operator",
  scope: "customers:read",
  tag: "Customers",
  summary: "List customers, by id",
  query: pageQuery,
  answers: { 200: { description: "A page of customers.", schema: pageOf(customerSchema, "CustomerPage") } },
  errors: [],
} as const satisfies Operation;

export const getCustomer = {
  id: "getCustomer",
  method: "get",
  path: "/v1/customers/{id}",
  access: "any",
  scope: "customers:read",
  tag: "Customers",
  summary: "Read a customer, with the account as it stands",
  description: "Customers may read their own.",
  params: customerParams,
  query: NO_QUERY,
  answers: { 200: { description: "The customer.", schema: customerSchema } },
  errors: ["customer_not_found"],
} as const satisfies Operation;

export const putBilling = {
  id: "putBilling",
  method: "put",
  path: "/v1/customers/{id}/billing",
  access: "operator",
  scope: "customers:write",
  tag: "Customers",
  summary: "Change how a customer pays",
  description:
    "A limit below what is in use already refuses new jobs and breaks no accepted one. The way of billing can change only until the first job or the first money.",
  params: customerParams,
  query: NO_QUERY,
  body: { type: JSON_TYPE, schema: billingSchema },
  answers: { 200: { description: "The customer, changed.", schema: customerSchema } },
  errors: [...BODY_ERRORS, "customer_not_found", "billing_in_use"],
} as const satisfies Operation;

export const getBalance = {
  id: "getBalance",
  method: "get",
  path: "/v1/balance",
  access: "customer",
  scope: "billing:read",
  tag: "Customers",
  summary: "Read your account",
  query: NO_QUERY,
  answers: { 200: { description: "What is held, spent and left.", schema: balanceSchema } },
  errors: [],
} as const satisfies Operation;
