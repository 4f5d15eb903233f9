/** Checks of the books: every invariant, on a live database. What they are is in packages/ledger. */
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { cursorParameter, limitParameter, pageOf, timestampSchema } from "./values.ts";

export const bookCheckSchema = z
  .object({
    object: z.literal("book_check"),
    number: z.int().min(1),
    mode: z.enum(["full", "incremental"]).meta({
      description:
        "`full`: everything there is. `incremental`: what was written since the last check that found nothing.",
    }),
    is_clean: z.boolean().meta({ description: "Whether every invariant holds." }),
    started_at: timestampSchema,
    duration_ms: z.number(),
    invariants: z.array(
      z.object({
        number: z.int(),
        promise: z.string().meta({ examples: ["every transaction sums to zero per currency"] }),
        duration_ms: z.number(),
        violations: z.array(z.string()).meta({ description: "What breaks it, at most 20 of it; empty when it holds." }),
      }),
    ),
  })
  .meta({ id: "BookCheck" });

export type BookCheckBody = z.output<typeof bookCheckSchema>;

export const checkBooks = {
  id: "checkBooks",
  method: "post",
  path: "/v1/books/checks",
  access: "operator",
  scope: "books:write",
  tag: "Books",
  summary: "Check every invariant of the books",
  description:
    "Runs on one snapshot of the live database and answers when it is done: a full check takes about a minute per million jobs, an incremental one follows what is new. The first check is full. One runs at a time.",
  query: z.strictObject({}),
  body: {
    type: JSON_TYPE,
    schema: z.strictObject({ mode: z.enum(["full", "incremental"]).default("incremental") }).meta({ id: "CheckBooks" }),
  },
  answers: { 200: { description: "What was found.", schema: bookCheckSchema } },
  errors: [...BODY_ERRORS, "check_in_progress"],
} as const satisfies Operation;

export const listBookChecks = {
  id: "listBookChecks",
  method: "get",
  path: "/v1/books/checks",
  access: "operator",
  scope: "books:read",
  tag: "Books",
  summary: "List checks of the books, the latest first",
  query: z.strictObject({ limit: limitParameter, cursor: cursorParameter }),
  answers: { 200: { description: "A page of checks.", schema: pageOf(bookCheckSchema, "BookCheckPage") } },
  errors: [],
} as const satisfies Operation;
