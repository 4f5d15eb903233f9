/** What an operator agrees with one customer. What it means is in core/pricing/rating. */
import { parseMoney, ZERO } from "@contingent/core/money";
import { z } from "zod";
import { customerParams } from "./customers.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { pageQuery, priceSchema } from "./outcome-types.ts";
import { amountSchema, idSchema, jsonObjectSchema, outcomeTypeNameSchema, pageOf, timestampSchema } from "./values.ts";

const OUTCOME_TYPES_MAX = 1_000;
const PERIOD_BANDS_MAX = 50;
/** More outcomes than a customer has in a month; exact in a double. */
const OUTCOMES_MAX = 1_000_000_000_000;

const share = z.number().min(0).max(1);

const nothingOrMore = amountSchema.refine((text) => (parseMoney(text) ?? ZERO) >= ZERO, {
  error: "must not be negative",
});

const periodBandsSchema = z.strictObject({
  mode: z.enum(["graduated", "volume"]).meta({
    description: "`graduated`: each outcome pays by its own number. `volume`: all pay by the period's total.",
  }),
  bands: z
    .array(
      z.strictObject({
        from_outcome: z.int().min(1).max(OUTCOMES_MAX),
        fraction: share.meta({ description: "Of the price." }),
      }),
    )
    .min(1)
    .max(PERIOD_BANDS_MAX)
    .refine((bands) => bands.every((band, i) => band.from_outcome > (bands[i - 1]?.from_outcome ?? 0)), {
      error: "must be ascending by from_outcome",
    })
    .meta({ description: "Ascending. From this outcome of the period on, free ones counted, this fraction is paid." }),
});

const periodTermsSchema = z.strictObject({
  allowance: z
    .int()
    .min(0)
    .max(OUTCOMES_MAX)
    .default(0)
    .meta({ description: "The first so many billed outcomes of each period are free." }),
  bands: periodBandsSchema.optional(),
});

/** At most so many outcome types by name. */
function byOutcomeType<T extends z.ZodType>(value: T): z.ZodRecord<typeof outcomeTypeNameSchema, T> {
  const named = z.record(outcomeTypeNameSchema, value, {
    error: (issue) => (issue.code === "invalid_key" ? "is not the name of an outcome type" : undefined),
  });
  return named.refine((entries) => Object.keys(entries).length <= OUTCOME_TYPES_MAX, {
    error: `must have at most ${OUTCOME_TYPES_MAX} entries`,
  });
}

export const customerTermsSchema = z
  .strictObject({
    effective_from: timestampSchema
      .optional()
      .meta({ description: "Jobs accepted from this time on; from now unless given." }),
    prices: byOutcomeType(priceSchema)
      .default({})
      .meta({ description: "By outcome type: the price instead of the list price." }),
    outcome_types: byOutcomeType(periodTermsSchema)
      .default({})
      .meta({ description: "By outcome type: what holds for all its outcomes of a period together." }),
    discount_share: share.default(0).meta({ description: "Off every line, after allowance and bands." }),
    discount_fixed: nothingOrMore
      .default("0")
      .meta({ description: "Off each statement, at most what its lines come to." }),
    commitment_minimum: nothingOrMore
      .default("0")
      .meta({ description: "The least that a period's lines come to after discounts. Credits are not counted." }),
  })
  .meta({ id: "CustomerTerms" });

export type CustomerTermsDefinition = z.output<typeof customerTermsSchema>;

export const publishedTermsSchema = z
  .object({
    id: idSchema("trm"),
    object: z.literal("customer_terms"),
    customer_id: idSchema("cus"),
    version: z.int().min(1),
    definition: jsonObjectSchema.meta({ description: "As it was sent." }),
    effective_from: timestampSchema,
    in_force: z.boolean().meta({ description: "Whether a job accepted now would keep this version." }),
    created_at: timestampSchema,
  })
  .meta({ id: "PublishedCustomerTerms" });

export type PublishedTermsBody = z.output<typeof publishedTermsSchema>;

export const putCustomerTerms = {
  id: "putCustomerTerms",
  method: "put",
  path: "/v1/customers/{id}/terms",
  access: "operator",
  scope: "customers:write",
  tag: "Customers",
  summary: "Agree terms with a customer",
  description:
    "Makes a new, immutable version. Jobs that were accepted before keep theirs. The same terms as the latest ones make none.",
  params: customerParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: customerTermsSchema },
  answers: {
    200: { description: "The latest version says the same already.", schema: publishedTermsSchema },
    201: { description: "Published.", schema: publishedTermsSchema },
  },
  errors: [...BODY_ERRORS, "customer_not_found", "invalid_customer_terms"],
} as const satisfies Operation;

export const listCustomerTerms = {
  id: "listCustomerTerms",
  method: "get",
  path: "/v1/customers/{id}/terms",
  access: "operator",
  scope: "customers:read",
  tag: "Customers",
  summary: "List the versions of a customer's terms, newest first",
  params: customerParams,
  query: pageQuery,
  answers: { 200: { description: "A page of versions.", schema: pageOf(publishedTermsSchema, "CustomerTermsPage") } },
  errors: ["customer_not_found"],
} as const satisfies Operation;
