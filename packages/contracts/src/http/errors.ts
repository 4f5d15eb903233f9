/**
 * Every error that the API can answer with: a closed list. A code never changes its meaning; clients branch on the code,
 * people read the message, which says what to change. docs/errors.md is made of this list (error-reference.ts).
 */
import { z } from "zod";
import { DEAD_LETTER_ERRORS } from "./errors-of-dead-letters.ts";
import { DISPUTE_ERRORS } from "./errors-of-disputes.ts";
import { INQUIRY_ERRORS } from "./errors-of-inquiries.ts";
import { LIMIT_ERRORS } from "./errors-of-limits.ts";
import { KEY_ERRORS } from "./errors-of-keys.ts";
import { PAYLOAD_ERRORS } from "./errors-of-payloads.ts";
import { PROVIDER_ERRORS } from "./errors-of-providers.ts";
import { QUALITY_ERRORS } from "./errors-of-quality.ts";

export const ERROR_TYPES = [
  "invalid_request_error",
  "authentication_error",
  "payment_error",
  "permission_error",
  "not_found_error",
  "conflict_error",
  "idempotency_error",
  "rate_limit_error",
  "server_error",
] as const;
export type ErrorType = (typeof ERROR_TYPES)[number];

interface ErrorEntry {
  readonly type: ErrorType;
  readonly status: number;
  /** What has happened. */
  readonly meaning: string;
  /** What the caller should do about it. */
  readonly remedy: string;
}

export const ERRORS = {
  malformed_json: {
    type: "invalid_request_error",
    status: 400,
    meaning: "The body is not JSON.",
    remedy: "Send the body as JSON text in UTF-8. The message names the place of the mistake.",
  },
  json_too_deep: {
    type: "invalid_request_error",
    status: 400,
    meaning: "Arrays and objects of the body nest deeper than 64 levels.",
    remedy: "Flatten the value, or send the deep part as a string.",
  },
  duplicate_field: {
    type: "invalid_request_error",
    status: 400,
    meaning: "An object of the body has the same key twice. Programs disagree on which one counts, so neither does.",
    remedy: "Remove one of the two.",
  },
  unusable_text: {
    type: "invalid_request_error",
    status: 400,
    meaning: "A string holds a NUL character or half of a surrogate pair, or a number is too large for a double.",
    remedy: "Remove or replace the character; send very large numbers as strings.",
  },
  invalid_field: {
    type: "invalid_request_error",
    status: 400,
    meaning: "A field of the body, the query or the headers has a value that is not allowed.",
    remedy: "Change the field that `param` names as the message says.",
  },
  missing_field: {
    type: "invalid_request_error",
    status: 400,
    meaning: "A required field is missing.",
    remedy: "Add the field that `param` names.",
  },
  unknown_field: {
    type: "invalid_request_error",
    status: 400,
    meaning: "The request has a field that this endpoint does not know, perhaps a misspelt one.",
    remedy: "Remove or rename the field that `param` names.",
  },
  invalid_input: {
    type: "invalid_request_error",
    status: 400,
    meaning: "The job's input does not fit the input schema of its outcome type. No job was made.",
    remedy: "Correct each of the `problems`: their paths point into the body.",
  },
  invalid_outcome_type: {
    type: "invalid_request_error",
    status: 400,
    meaning: "The definition of an outcome type would not work. No version was made.",
    remedy: "Correct each of the `problems`; the list is complete.",
  },
  invalid_customer_terms: {
    type: "invalid_request_error",
    status: 400,
    meaning:
      "The customer's terms would not work, for example a price for an outcome type that there is not. No version was made.",
    remedy: "Correct each of the `problems`; the list is complete.",
  },
  invalid_idempotency_key: {
    type: "invalid_request_error",
    status: 400,
    meaning: "The Idempotency-Key header is empty, too long or holds characters that are not printable ASCII.",
    remedy: "Send 1 to 255 printable ASCII characters, for example a UUID in double quotes.",
  },
  ...KEY_ERRORS,
  insufficient_funds: {
    type: "payment_error",
    status: 402,
    meaning: "The customer's prepaid money does not cover the most that the job may cost. No job was made.",
    remedy: "Top up: the message says how much is missing. Money held for open jobs comes back when they close.",
  },
  spending_limit_reached: {
    type: "payment_error",
    status: 402,
    meaning:
      "With this job the charges of the period and the open holds would exceed the customer's spending limit. No job was made.",
    remedy: "Wait until open jobs close or the period ends, or ask the operator for a higher limit.",
  },
  test_clock_disabled: {
    type: "permission_error",
    status: 403,
    meaning: "Time cannot be moved here: this deployment is run for real customers.",
    remedy: "Try it on a deployment with `CONTINGENT_ENV=development`.",
  },
  customer_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such customer, or it is another one than the key's.",
    remedy: "Check the id (`cus_…`) and the key.",
  },
  job_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such job, or it belongs to another customer.",
    remedy: "Check the id (`job_…`) and the key.",
  },
  no_charge: {
    type: "not_found_error",
    status: 404,
    meaning:
      "The job has not been charged, so there is no receipt for it, and nothing to dispute or to give back. The message says why.",
    remedy: "Wait until an open job is closed; a failure is never charged, because it costs nothing.",
  },
  reconciliation_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such reconciliation.",
    remedy: "Check the id (`rcn_…`) against the list at `/v1/reconciliations`.",
  },
  attempt_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such attempt.",
    remedy: "Check the id (`att_…`): the job lists its attempts with `expand[]=attempts`.",
  },
  outcome_type_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no outcome type, or no version of it, by this name.",
    remedy: "Check the name and the version number, or let the operator publish it.",
  },
  statement_not_found: {
    type: "not_found_error",
    status: 404,
    meaning:
      "There is no such statement: it is another customer's, its period has not begun, or nothing happened in it.",
    remedy: "Take the id (`stm_…`) from the list of statements, and check the key.",
  },
  route_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is nothing at this path.",
    remedy: "Check the path against the reference at `/docs`.",
  },
  method_not_allowed: {
    type: "invalid_request_error",
    status: 405,
    meaning: "The path exists, but not for this method.",
    remedy: "Use one of the methods in the `Allow` header.",
  },
  malformed_request: {
    type: "invalid_request_error",
    status: 400,
    meaning: "What arrived is not HTTP, or names no host, or more than one.",
    remedy: "Check the client, or whatever stands between it and this server.",
  },
  headers_too_large: {
    type: "invalid_request_error",
    status: 431,
    meaning: "The request line and headers together are larger than 16 kB, or there are more than 100 headers.",
    remedy: "Send fewer or smaller headers, and long values in the body.",
  },
  request_timeout: {
    type: "invalid_request_error",
    status: 408,
    meaning: "The headers or the body did not arrive in time.",
    remedy: "Send the request again, without pauses within it.",
  },
  outcome_key_conflict: {
    type: "conflict_error",
    status: 409,
    meaning: "This outcome_key was used before, with another input. No job was made.",
    remedy: "Use a new outcome_key for a new outcome, or send the input of the first job to get that job back.",
  },
  job_not_cancelable: {
    type: "conflict_error",
    status: 409,
    meaning: "It is too late to cancel: the job's result is known already.",
    remedy: "Read the job: it is closed or will be in a moment.",
  },
  statement_not_closable: {
    type: "conflict_error",
    status: 409,
    meaning: "The statement's period is not over yet, by the customer's clock, or an earlier one is not closed.",
    remedy: "Wait for the end that the message names, or close the earlier statement first.",
  },
  statement_not_closed: {
    type: "conflict_error",
    status: 409,
    meaning: "The statement is not closed, so nobody owes it yet. No payment was recorded.",
    remedy: "Close the statement, or pay another one.",
  },
  payment_ref_reused: {
    type: "conflict_error",
    status: 409,
    meaning: "This ref stands for another payment: of another amount, or of another statement. Nothing was recorded.",
    remedy: "Use a ref of its own for each payment, and the same one only to repeat exactly the same payment.",
  },
  no_verdict: {
    type: "conflict_error",
    status: 409,
    meaning: "No answer of this job has been judged, so there is no verdict to verify again.",
    remedy: "Wait for the first verdict of an open job; a job that ended without one was not charged.",
  },
  check_in_progress: {
    type: "conflict_error",
    status: 409,
    meaning: "The books are being checked just now; one check runs at a time.",
    remedy: "Ask again when that check is done, or read the list of checks.",
  },
  job_not_awaiting_acceptance: {
    type: "conflict_error",
    status: 409,
    meaning:
      "There is no outcome to accept or reject: the job is still at work or has ended, its window is over, or somebody has decided otherwise.",
    remedy: "Read the job. A decision counts while its state is `awaiting_acceptance` and `settles_at` has not passed.",
  },
  reconciliation_overlap: {
    type: "conflict_error",
    status: 409,
    meaning: "Days of this period were reconciled before, as part of another period. Nothing was compared or booked.",
    remedy: "Upload exactly the earlier period to correct it, or leave its days out. The message names it.",
  },
  attempt_cost_open: {
    type: "conflict_error",
    status: 409,
    meaning: "The attempt has no cost that could be corrected: it is still running, or never reached a provider.",
    remedy: "Wait until it has ended. What a provider invoices for no known call is found by a reconciliation.",
  },
  customer_exists: {
    type: "conflict_error",
    status: 409,
    meaning: "The id is that of another customer: the name, the billing or the limit differs.",
    remedy: "Choose another id, or change the customer with `PUT /v1/customers/{id}/billing`.",
  },
  billing_in_use: {
    type: "conflict_error",
    status: 409,
    meaning:
      "The way of billing cannot change any more: jobs were accepted, or money was moved, under the present one.",
    remedy: "Keep the present way, or make another customer.",
  },
  not_prepaid: {
    type: "conflict_error",
    status: 409,
    meaning: "The customer is billed on account and has no prepaid money.",
    remedy: "Change the billing to `prepaid` before the first job, or settle by statement.",
  },
  grant_ref_reused: {
    type: "conflict_error",
    status: 409,
    meaning: "This `ref` brought in other money before: another amount, priority, end or scope.",
    remedy: "Use a new `ref` for other money, and the same one only to repeat exactly the same request.",
  },
  ...DISPUTE_ERRORS,
  ...PAYLOAD_ERRORS,
  ...QUALITY_ERRORS,
  ...PROVIDER_ERRORS,
  ...INQUIRY_ERRORS,
  ...DEAD_LETTER_ERRORS,
  idempotency_in_flight: {
    type: "idempotency_error",
    status: 409,
    meaning: "The first request with this Idempotency-Key is still being served.",
    remedy: "Wait for `Retry-After` seconds and send the same request again.",
  },
  body_too_large: {
    type: "invalid_request_error",
    status: 413,
    meaning: "The body, or a line of a bulk request, is larger than 256 kB.",
    remedy: "Send a smaller input, for example a reference instead of the document.",
  },
  unsupported_media_type: {
    type: "invalid_request_error",
    status: 415,
    meaning: "The body's content type or encoding is not one that this endpoint reads.",
    remedy: "Send the `Content-Type` that the message names, in UTF-8, without compression.",
  },
  expectation_failed: {
    type: "invalid_request_error",
    status: 417,
    meaning: "The `Expect` header asks for something that this server does not do.",
    remedy: "Leave the header out; only `100-continue` is understood.",
  },
  idempotency_key_reused: {
    type: "idempotency_error",
    status: 422,
    meaning: "This Idempotency-Key was used before, for another request. No job was made.",
    remedy: "Use a new key for each new request, and the same key only to repeat exactly the same one.",
  },
  overpayment: {
    type: "payment_error",
    status: 422,
    meaning: "The payment is more than what is still due on the statement. Nothing was recorded.",
    remedy: "Record at most the balance that the message names, and the rest on another statement.",
  },
  ...LIMIT_ERRORS,
  internal_error: {
    type: "server_error",
    status: 500,
    meaning: "A defect on our side.",
    remedy: "Repeat the request with the same Idempotency-Key; if it fails again, report the `request_id`.",
  },
  database_unavailable: {
    type: "server_error",
    status: 503,
    meaning: "The database does not answer, or cannot be written to. Nothing was accepted that was not answered.",
    remedy: "Repeat the request after `Retry-After` seconds; with an Idempotency-Key or an outcome_key it is safe.",
  },
  sandbox_unavailable: {
    type: "server_error",
    status: 503,
    meaning: "What was sent has to be compiled in a process of its own, and none could be had. Nothing was written.",
    remedy: "Repeat the request after `Retry-After` seconds.",
  },
  shutting_down: {
    type: "server_error",
    status: 503,
    meaning: "This process is about to stop and takes no new work.",
    remedy: "Repeat the request after `Retry-After` seconds: another process will answer.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
export const ERROR_CODES: readonly ErrorCode[] = codes;

/** Problems listed in one answer; a request with more mistakes shows the first ones. */
export const PROBLEMS_MAX = 50;

export const problemSchema = z
  .object({
    param: z
      .string()
      .meta({ description: "Where: a JSON pointer into the body, or the name of a parameter or header." }),
    message: z.string().meta({ description: "What to change." }),
  })
  .meta({ id: "Problem" });

export const errorSchema = z
  .object({
    error: z.object({
      type: z.enum(ERROR_TYPES),
      code: z.enum(codes).meta({ description: "One of a closed list; see the error reference." }),
      message: z.string().meta({ description: "What to change, for people." }),
      param: z
        .string()
        .nullable()
        .meta({
          description: "The field at fault: a JSON pointer into the body, or the name of a parameter or header.",
          examples: ["/outcome_type"],
        }),
      doc_url: z.string(),
      request_id: z.string().meta({ description: "Also in the `X-Request-Id` header." }),
      problems: z.array(problemSchema).optional().meta({ description: "Each mistake, when there may be several." }),
    }),
  })
  .meta({ id: "Error" });

export type Problem = z.output<typeof problemSchema>;
export type ErrorBody = z.output<typeof errorSchema>;
