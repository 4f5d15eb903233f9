/** Reconciliations: what a provider has invoiced, held against the books. What they book is in core/books/reconciliation. */
import { parseMoney } from "@contingent/core/money";
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  amountSchema,
  cursorParameter,
  idSchema,
  limitParameter,
  moneySchema,
  pageOf,
  timestampSchema,
} from "./values.ts";

const NAME_CHARACTERS_MAX = 200;
export const INVOICE_LINES_MAX = 2_000;
/** The longest period that is reconciled at once, days. */
const PERIOD_DAYS_MAX = 92;
const DAY_MS = 24 * 60 * 60_000;
/** Far above what one model can cost in a day: above, something else was meant. */
const LINE_MAX = parseMoney("100000000") ?? 0n;

const daySchema = z.iso
  .date({ error: "must be a day of UTC, such as 2026-11-25" })
  .meta({ examples: ["2026-11-25"], description: "A day of UTC." });

const invoiceLineSchema = z.strictObject({
  model: z.string().min(1).max(NAME_CHARACTERS_MAX).meta({ description: "The exact id that the provider bills by." }),
  day: daySchema,
  amount: amountSchema
    .refine((text) => (parseMoney(text) ?? 0n) >= 0n, { error: "must not be negative" })
    .refine((text) => (parseMoney(text) ?? 0n) <= LINE_MAX, { error: "must be at most 100000000" })
    .meta({ description: "What the provider asks for, in USD." }),
});

export const reconcileSchema = z
  .strictObject({
    provider: z
      .string()
      .min(1)
      .max(NAME_CHARACTERS_MAX)
      .meta({ examples: ["anthropic"] }),
    from: daySchema.meta({ description: "First day of the period." }),
    until: daySchema.meta({ description: "The day after the last one." }),
    lines: z.array(invoiceLineSchema).max(INVOICE_LINES_MAX).meta({
      description: "Totals per model and day. A model and day that is left out was not invoiced.",
    }),
  })
  .superRefine(({ from, until, lines }, context) => {
    const complain = (path: PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (until <= from) complain(["until"], `must be after "from" (${from}): it is the day after the last one`);
    else if (Date.parse(until) - Date.parse(from) > PERIOD_DAYS_MAX * DAY_MS) {
      complain(["until"], `is too late: a period has at most ${PERIOD_DAYS_MAX} days`);
    }
    const seen = new Set<string>();
    for (const [i, { model, day }] of lines.entries()) {
      if (day < from || day >= until)
        complain(["lines", i, "day"], `is not within the period (${from} until ${until})`);
      const place = `${day} ${model}`;
      if (seen.has(place)) complain(["lines", i], "has a model and day that another line has: add them up");
      seen.add(place);
    }
  })
  .meta({ id: "Reconcile" });

const summary = {
  id: idSchema("rcn"),
  provider: z.string(),
  from: daySchema,
  until: daySchema,
  number: z.int().min(1).meta({ description: "Counts the uploads for this period." }),
  invoiced: moneySchema,
  booked: moneySchema,
  drift: moneySchema.meta({ description: "Invoiced less booked." }),
  posted: moneySchema.meta({
    description:
      "What this upload booked as drift: the whole of it, less what earlier uploads for the period had booked.",
  }),
  uploaded_at: timestampSchema,
};

export const reconciliationSummarySchema = z
  .object({ object: z.literal("reconciliation"), ...summary })
  .meta({ id: "ReconciliationSummary" });

export const reconciliationSchema = z
  .object({
    object: z.literal("reconciliation"),
    ...summary,
    estimated: moneySchema.meta({ description: "Part of what is booked: lost answers, at their worst case." }),
    lines: z
      .array(
        z.object({
          model: z.string(),
          day: daySchema,
          invoiced: moneySchema.nullable().meta({ description: "Null: the invoice has no such line." }),
          booked: moneySchema.nullable().meta({ description: "Null: nothing is booked." }),
          estimated: moneySchema,
          difference: moneySchema.meta({ description: "Invoiced less booked." }),
        }),
      )
      .meta({ description: "By model and day, as the books stood at the upload." }),
    invoiced_only: z.array(z.string()).meta({ description: "Models that are invoiced and were not called by us." }),
    booked_only: z.array(z.string()).meta({ description: "Models that were called and are not invoiced." }),
  })
  .meta({ id: "Reconciliation" });

export type ReconciliationBody = z.output<typeof reconciliationSchema>;
export type ReconciliationSummaryBody = z.output<typeof reconciliationSummarySchema>;

export const reconcile = {
  id: "reconcile",
  method: "post",
  path: "/v1/reconciliations",
  access: "operator",
  scope: "books:write",
  tag: "Costs",
  summary: "Hold a provider's invoice against the books",
  description:
    "Compares, by model and UTC day, what is invoiced with what is booked, and books the difference of the whole period as drift. A second upload for the same period replaces the first: it books what the drift has changed by. The same upload again changes nothing. A day that is not over yet is compared as it is so far: upload it again.",
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: reconcileSchema },
  answers: {
    200: { description: "The upload before said the same, and so do the books.", schema: reconciliationSchema },
    201: {
      description: "Compared, and the drift booked.",
      schema: reconciliationSchema,
      headers: { Location: "Where to read it again." },
    },
  },
  errors: [...BODY_ERRORS, "reconciliation_overlap"],
} as const satisfies Operation;

export const getReconciliation = {
  id: "getReconciliation",
  method: "get",
  path: "/v1/reconciliations/{id}",
  access: "operator",
  scope: "books:read",
  tag: "Costs",
  summary: "Read a reconciliation",
  params: z.strictObject({ id: idSchema("rcn") }),
  query: z.strictObject({}),
  answers: { 200: { description: "The reconciliation, as it was made.", schema: reconciliationSchema } },
  errors: ["reconciliation_not_found"],
} as const satisfies Operation;

export const listReconciliations = {
  id: "listReconciliations",
  method: "get",
  path: "/v1/reconciliations",
  access: "operator",
  scope: "books:read",
  tag: "Costs",
  summary: "List reconciliations, newest first",
  query: z.strictObject({
    provider: z.string().min(1).max(NAME_CHARACTERS_MAX).optional(),
    limit: limitParameter,
    cursor: cursorParameter,
  }),
  answers: {
    200: {
      description: "A page of reconciliations, without their lines.",
      schema: pageOf(reconciliationSummarySchema, "ReconciliationPage"),
    },
  },
  errors: [],
} as const satisfies Operation;
