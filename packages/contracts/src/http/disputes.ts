/** Disputes over charges, and credit notes, by which charges are given back. */
import { DISPUTE_STATES } from "@contingent/core/books/disputes";
import { parseMoney } from "@contingent/core/money";
import { z } from "zod";
import { jobParams } from "./jobs.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { reverificationSchema } from "./receipts.ts";
import {
  amountSchema,
  cursorParameter,
  idSchema,
  limitParameter,
  moneySchema,
  pageOf,
  timestampSchema,
} from "./values.ts";

const REASON_CHARACTERS_MAX = 2_000;
const REF_CHARACTERS_MAX = 255;

const reason = z.string().min(1).max(REASON_CHARACTERS_MAX).regex(/\S/, { error: "must say something" });
const amount = amountSchema.refine((text) => (parseMoney(text) ?? 1n) > 0n, { error: "must be more than zero" });

export const openDisputeSchema = z
  .strictObject({
    reason: reason.meta({ description: "What is wrong with the outcome that was charged for." }),
    amount: amount
      .optional()
      .meta({ description: "How much of the charge is disputed; all that is left of it unless given." }),
  })
  .meta({ id: "OpenDispute", examples: [{ reason: "The due date is that of another invoice.", amount: "0.02" }] });

export const disputeSchema = z
  .object({
    object: z.literal("dispute"),
    id: idSchema("dsp"),
    job: idSchema("job"),
    customer: idSchema("cus"),
    state: z.enum(DISPUTE_STATES).meta({
      description:
        "`upheld`: the charge stands. `credited`: what `credited` says was given back. `withdrawn`: by the customer. A dispute is decided once.",
    }),
    reason: z.string(),
    amount: moneySchema.meta({ description: "What is disputed." }),
    reverification: reverificationSchema.meta({
      description:
        "What the validators said when they were run again on the stored evidence, at the moment of the dispute.",
    }),
    opened_at: timestampSchema,
    resolved_at: timestampSchema.nullable(),
    resolution: z.string().nullable().meta({ description: "In the operator's words." }),
    credited: moneySchema.nullable().meta({ description: "What was given back; null unless something was." }),
    credit_note: idSchema("crn").nullable(),
  })
  .meta({ id: "Dispute" });

export type DisputeBody = z.output<typeof disputeSchema>;

export const disputeParams = z.strictObject({ id: idSchema("dsp") });

export const listDisputesQuery = z.strictObject({
  state: z.enum(DISPUTE_STATES).optional(),
  job: idSchema("job").optional(),
  customer_id: idSchema("cus").optional().meta({ description: "Operators only: the disputes of one customer." }),
  limit: limitParameter,
  cursor: cursorParameter,
});

export const resolveDisputeSchema = z
  .discriminatedUnion("outcome", [
    z.strictObject({ outcome: z.literal("uphold"), reason }),
    z.strictObject({
      outcome: z.literal("credit"),
      amount: amount.optional().meta({
        description: "What is given back; the disputed amount unless given, and never more than that.",
      }),
      reason,
    }),
  ])
  .meta({
    id: "ResolveDispute",
    examples: [{ outcome: "credit", amount: "0.02", reason: "The date is wrong indeed." }],
  });

export const creditNoteSchema = z
  .object({
    object: z.literal("credit_note"),
    id: idSchema("crn"),
    job: idSchema("job"),
    customer: idSchema("cus"),
    dispute: idSchema("dsp").nullable().meta({ description: "Null: it was given without one." }),
    amount: moneySchema,
    reason: z.string(),
    to: z.enum(["prepaid", "receivable"]).meta({
      description: "As prepaid money, or taken off what is owed: as the charge was paid.",
    }),
    grant: idSchema("gra").nullable().meta({ description: "The prepaid money that it became." }),
    issued_at: timestampSchema.meta({ description: "Never within a closed period: its statement does not change." }),
  })
  .meta({ id: "CreditNote" });

export const operatorCreditNoteSchema = creditNoteSchema
  .extend({ ref: z.string().nullable().meta({ description: "Null: its dispute names it." }) })
  .meta({ id: "OperatorCreditNote" });

const anyCreditNoteSchema = z.union([operatorCreditNoteSchema, creditNoteSchema]);

export type CreditNoteBody = z.output<typeof creditNoteSchema>;
export type OperatorCreditNoteBody = z.output<typeof operatorCreditNoteSchema>;

export const createCreditNoteSchema = z
  .strictObject({
    job: idSchema("job"),
    amount: amount.meta({ description: "At most what is left of the job's charge." }),
    reason: reason.meta({ description: "Shown to the customer." }),
    ref: z
      .string()
      .min(1)
      .max(REF_CHARACTERS_MAX)
      .meta({
        description: "Your own name for this credit, unique within the job: giving it again gives nothing more.",
        examples: ["ticket-4711"],
      }),
  })
  .meta({ id: "CreateCreditNote" });

export const listCreditNotesQuery = z.strictObject({
  job: idSchema("job").optional(),
  customer_id: idSchema("cus").optional().meta({ description: "Operators only: the credit notes of one customer." }),
  limit: limitParameter,
  cursor: cursorParameter,
});

const location = { Location: "Where to read it." };

export const openDispute = {
  id: "openDispute",
  method: "post",
  path: "/v1/jobs/{id}/dispute",
  access: "customer",
  scope: "disputes:write",
  tag: "Disputes",
  summary: "Dispute a charge",
  description:
    "While the dispute window of the job's outcome type is open. The deterministic validators are run again on the stored evidence at once, and what they say is kept with the dispute; the operator decides. The same reason and amount again are the same dispute, however it stands by then.",
  params: jobParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: openDisputeSchema },
  answers: {
    200: { description: "This was disputed before: the dispute as it stands.", schema: disputeSchema },
    201: { description: "Opened.", schema: disputeSchema, headers: location },
  },
  errors: [...BODY_ERRORS, "job_not_found", "no_charge", "dispute_window_over", "dispute_open", "amount_too_large"],
} as const satisfies Operation;

export const listDisputes = {
  id: "listDisputes",
  method: "get",
  path: "/v1/disputes",
  access: "any",
  scope: "disputes:read",
  tag: "Disputes",
  summary: "List disputes, newest first",
  query: listDisputesQuery,
  answers: { 200: { description: "A page of disputes.", schema: pageOf(disputeSchema, "DisputePage") } },
  errors: ["wrong_scope"],
} as const satisfies Operation;

export const getDispute = {
  id: "getDispute",
  method: "get",
  path: "/v1/disputes/{id}",
  access: "any",
  scope: "disputes:read",
  tag: "Disputes",
  summary: "Read a dispute",
  params: disputeParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The dispute as it stands.", schema: disputeSchema } },
  errors: ["dispute_not_found"],
} as const satisfies Operation;

export const withdrawDispute = {
  id: "withdrawDispute",
  method: "post",
  path: "/v1/disputes/{id}/withdraw",
  access: "customer",
  scope: "disputes:write",
  tag: "Disputes",
  summary: "Withdraw a dispute",
  description: "The charge stands. Withdrawing twice is the same as once.",
  params: disputeParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The dispute, withdrawn.", schema: disputeSchema } },
  errors: ["dispute_not_found", "dispute_resolved"],
} as const satisfies Operation;

export const resolveDispute = {
  id: "resolveDispute",
  method: "post",
  path: "/v1/disputes/{id}/resolution",
  access: "operator",
  scope: "billing:write",
  tag: "Disputes",
  summary: "Decide a dispute",
  description:
    "Upholds the charge, or gives back what is disputed or a part of it, by a credit note. The same decision again is the same as once.",
  params: disputeParams,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: resolveDisputeSchema },
  answers: { 200: { description: "The dispute, decided.", schema: disputeSchema } },
  errors: [...BODY_ERRORS, "dispute_not_found", "dispute_resolved", "amount_too_large", "statement_closing"],
} as const satisfies Operation;

export const createCreditNote = {
  id: "createCreditNote",
  method: "post",
  path: "/v1/credit-notes",
  access: "operator",
  scope: "billing:write",
  tag: "Disputes",
  summary: "Give a charge back, in part or whole",
  description:
    "Without a dispute, and after any window. It is dated in the customer's open period: statements that are closed do not change.",
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: createCreditNoteSchema },
  answers: {
    200: { description: "This was given before.", schema: operatorCreditNoteSchema },
    201: { description: "Given.", schema: operatorCreditNoteSchema },
  },
  errors: [...BODY_ERRORS, "job_not_found", "no_charge", "amount_too_large", "statement_closing", "credit_ref_reused"],
} as const satisfies Operation;

export const listCreditNotes = {
  id: "listCreditNotes",
  method: "get",
  path: "/v1/credit-notes",
  access: "any",
  scope: "billing:read",
  tag: "Disputes",
  summary: "List credit notes, newest first",
  query: listCreditNotesQuery,
  answers: { 200: { description: "A page of credit notes.", schema: pageOf(anyCreditNoteSchema, "CreditNotePage") } },
  errors: ["wrong_scope"],
} as const satisfies Operation;
