/** Statements: what a customer is charged for a month, line by line, and what has been paid. */
import { REASONS, RESOLUTIONS } from "@contingent/core/job/job";
import { parseMoney, roundedToMinorUnit, ZERO } from "@contingent/core/money";
import { z } from "zod";
import { BODY_ERRORS, CSV_TYPE, HTML_TYPE, JSON_TYPE, type Operation } from "./operation.ts";
import { precisionSchema } from "./quality.ts";
import {
  amountSchema,
  cursorParameter,
  idSchema,
  limitParameter,
  moneySchema,
  outcomeTypeNameSchema,
  pageOf,
  timestampSchema,
} from "./values.ts";

const STATEMENT_STATES = ["open", "closing", "closed"] as const;
const REF_CHARACTERS_MAX = 255;

export const statementParams = z.strictObject({ id: idSchema("stm") });

export const listStatementsQuery = z.strictObject({
  customer_id: idSchema("cus").optional().meta({ description: "Operators only: the statements of one customer." }),
  state: z
    .enum(STATEMENT_STATES)
    .optional()
    .meta({ description: "Operators list open ones of one customer at a time: each is added up as it is asked for." }),
  limit: limitParameter,
  cursor: cursorParameter,
});

export const statementLinesQuery = z.strictObject({ limit: limitParameter, cursor: cursorParameter });

export const statementSchema = z
  .object({
    object: z.literal("statement"),
    id: idSchema("stm"),
    number: z
      .string()
      .nullable()
      .meta({ description: "Consecutive within a year; null until it is closed.", examples: ["2026-000001"] }),
    customer_id: idSchema("cus"),
    customer_name: z.string(),
    state: z.enum(STATEMENT_STATES).meta({
      description:
        "`open`: it changes with every job. `closing`: the period is over and is being added up. `closed`: it never changes.",
    }),
    period: z
      .object({ start: timestampSchema, end: timestampSchema })
      .meta({ description: "A calendar month of UTC, without its end." }),
    lines: z.object({ billed: z.int(), unbilled: z.int(), credit_notes: z.int() }),
    gross: moneySchema.meta({ description: "What was charged for the outcomes." }),
    allowance: moneySchema.meta({ description: "Off: outcomes that were included." }),
    bands: moneySchema.meta({ description: "Off: by the number of outcomes." }),
    discount: moneySchema.meta({ description: "Off: the agreed share of each line." }),
    fixed_discount: moneySchema.meta({ description: "Off: the agreed amount." }),
    credits: moneySchema.meta({ description: "Off: credit notes of this period." }),
    commitment_true_up: moneySchema.meta({ description: "On top: what is missing to the agreed minimum." }),
    total: moneySchema.meta({ description: "All of this together, exact." }),
    paid_from_prepaid: moneySchema.meta({ description: "Off: what prepaid money has paid of it." }),
    rounding: moneySchema.meta({ description: "To whole cents, either way." }),
    amount_due: moneySchema.meta({ description: "total − paid_from_prepaid + rounding. Negative: in your favour." }),
    paid: moneySchema,
    balance: moneySchema.meta({ description: "amount_due − paid." }),
    returned_to_prepaid: moneySchema.meta({
      description: "Reductions of outcomes that prepaid money had paid for: they come back as prepaid money.",
    }),
    outcome_types: z.array(
      z.object({
        outcome_type: outcomeTypeNameSchema,
        billed: z.int(),
        unbilled: z.int(),
        gross: moneySchema,
        reductions: moneySchema.meta({ description: "Allowance, bands and discount together." }),
        credits: moneySchema,
        precision: precisionSchema.nullable().meta({
          description:
            "What share of the billed outcomes of this type was rightly billed, all customers' together, by random audits: when the statement was closed, or until now. Null before the first audit.",
        }),
      }),
    ),
    terms_version: z
      .int()
      .nullable()
      .meta({ description: "The customer's terms at the period's end; null: nothing was agreed." }),
    lines_sha256: z
      .string()
      .nullable()
      .meta({ description: "Over all lines of a closed statement: it shows that none has changed." }),
    closed_at: timestampSchema.nullable(),
  })
  .meta({ id: "Statement" });

export type StatementBody = z.output<typeof statementSchema>;

export const statementPageSchema = pageOf(statementSchema, "StatementPage");

const lineOf = {
  object: z.literal("statement_line"),
  at: timestampSchema,
  job: idSchema("job"),
  outcome_type: outcomeTypeNameSchema,
  outcome_type_version: z.int().min(1),
  outcome_key: z.string().nullable(),
};

const paidFromSchema = z.enum(["on_account", "prepaid"]);

export const statementLineSchema = z
  .discriminatedUnion("kind", [
    z.object({
      ...lineOf,
      kind: z.literal("job"),
      resolution: z.enum(RESOLUTIONS),
      reason: z.enum(REASONS).meta({ description: "Why the job ended as it did; of an unbilled one, why it is free." }),
      attempts: z.int(),
      paid_from: paidFromSchema.nullable().meta({ description: "Null: nothing was charged." }),
      charged: moneySchema,
      allowance: moneySchema,
      bands: moneySchema,
      discount: moneySchema,
      amount: moneySchema.meta({ description: "What is left of the charge." }),
    }),
    z.object({
      ...lineOf,
      kind: z.literal("credit"),
      credit_note: idSchema("crn"),
      reason: z.string(),
      paid_from: paidFromSchema.meta({ description: "Where the money went back to." }),
      amount: moneySchema.meta({ description: "Negative: it comes off." }),
    }),
  ])
  .meta({ id: "StatementLine" });

export type StatementLineBody = z.output<typeof statementLineSchema>;

export const statementLinePageSchema = pageOf(statementLineSchema, "StatementLinePage");

export const payStatementSchema = z
  .strictObject({
    ref: z
      .string()
      .min(1)
      .max(REF_CHARACTERS_MAX)
      .meta({
        description: "Your own name for the payment, such as the bank's. The same one never pays twice.",
        examples: ["wire-2026-12-03-0042"],
      }),
    amount: amountSchema
      .refine((text) => (parseMoney(text) ?? ZERO) > ZERO, { error: "must be more than zero" })
      .refine((text) => isWholeCents(text), { error: "must be in whole cents" }),
  })
  .meta({ id: "PayStatement" });

function isWholeCents(text: string): boolean {
  const amount = parseMoney(text) ?? ZERO;
  return roundedToMinorUnit(amount) === amount;
}

export const listStatements = {
  id: "listStatements",
  method: "get",
  path: "/v1/statements",
  access: "any",
  scope: "billing:read",
  tag: "Statements",
  summary: "List statements, newest period first",
  description: "One for each month in which there was anything, and the open ones.",
  query: listStatementsQuery,
  answers: { 200: { description: "A page of statements.", schema: statementPageSchema } },
  errors: ["wrong_scope"],
} as const satisfies Operation;

export const getStatement = {
  id: "getStatement",
  method: "get",
  path: "/v1/statements/{id}",
  access: "any",
  scope: "billing:read",
  tag: "Statements",
  summary: "Read a statement",
  description: "A closed one as it was closed; an open one as its lines come to at this moment.",
  params: statementParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The statement.", schema: statementSchema } },
  errors: ["statement_not_found"],
} as const satisfies Operation;

export const listStatementLines = {
  id: "listStatementLines",
  method: "get",
  path: "/v1/statements/{id}/lines",
  access: "any",
  scope: "billing:read",
  tag: "Statements",
  summary: "List a statement's lines",
  description:
    "Each job that closed in the period, the unbilled ones too, in the order in which they closed; credit notes after them.",
  params: statementParams,
  query: statementLinesQuery,
  answers: { 200: { description: "A page of lines.", schema: statementLinePageSchema } },
  errors: ["statement_not_found"],
} as const satisfies Operation;

export const getStatementCsv = {
  id: "getStatementCsv",
  method: "get",
  path: "/v1/statements/{id}/csv",
  access: "any",
  scope: "billing:read",
  tag: "Statements",
  summary: "Download all lines of a statement as CSV",
  description:
    "RFC 4180, with a header. The last rows are the adjustments of the statement as a whole, so that the column `amount` adds up: of rows paid `on_account` to the amount due. A text that a spreadsheet would take for a formula begins with an apostrophe.",
  params: statementParams,
  query: z.strictObject({}),
  answers: { 200: { description: "A stream of rows.", schema: z.string(), type: CSV_TYPE } },
  errors: ["statement_not_found"],
} as const satisfies Operation;

export const getStatementPage = {
  id: "getStatementPage",
  method: "get",
  path: "/v1/statements/{id}/html",
  access: "any",
  scope: "billing:read",
  tag: "Statements",
  summary: "A statement for printing and filing",
  description: "One HTML page without scripts. Of a very long statement it shows the first lines and names the CSV.",
  params: statementParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The page.", schema: z.string(), type: HTML_TYPE } },
  errors: ["statement_not_found"],
} as const satisfies Operation;

export const closeStatement = {
  id: "closeStatement",
  method: "post",
  path: "/v1/statements/{id}/close",
  access: "operator",
  scope: "billing:write",
  tag: "Statements",
  summary: "Close a statement",
  description:
    "Once its period is over, and the one before is closed. Periods are closed by themselves a while after their end; this does it at once. Closing twice is the same as once.",
  params: statementParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The statement, closed.", schema: statementSchema } },
  errors: ["statement_not_found", "statement_not_closable"],
} as const satisfies Operation;

export const payStatement = {
  id: "payStatement",
  method: "post",
  path: "/v1/statements/{id}/payments",
  access: "operator",
  scope: "billing:write",
  tag: "Statements",
  summary: "Record a payment of a statement",
  description: "At most what is still due. The same ref with the same amount is the same payment.",
  params: statementParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: payStatementSchema },
  answers: { 200: { description: "The statement with the payment.", schema: statementSchema } },
  errors: [...BODY_ERRORS, "statement_not_found", "statement_not_closed", "payment_ref_reused", "overpayment"],
} as const satisfies Operation;
