/**
 * The API's endpoints: what each takes and answers. Intake routes and checks requests by this table, and the OpenAPI
 * document is made of it, so that the two cannot disagree.
 */
import { z } from "zod";
import { checkBooks, listBookChecks } from "./book-checks.ts";
import { acceptJob } from "./acceptance.ts";
import { correctCost, getAttemptCost } from "./attempt-cost.ts";
import { CUSTOMER_OPERATIONS } from "./customer-operations.ts";
import { DEAD_LETTER_OPERATIONS } from "./dead-letters.ts";
import {
  createCreditNote,
  getDispute,
  listCreditNotes,
  listDisputes,
  openDispute,
  resolveDispute,
  withdrawDispute,
} from "./disputes.ts";
import { anyJobSchema, jobSchema } from "./job.ts";
import { replyToInquiry } from "./inquiries.ts";
import { KEY_OPERATIONS } from "./keys.ts";
import { listJudges, reinstateJudge } from "./judges.ts";
import {
  bulkLineSchema,
  createJobHeaders,
  createJobSchema,
  getJobQuery,
  jobEventSchema,
  jobEventsHeaders,
  jobPageSchema,
  jobParams,
  listJobsQuery,
} from "./jobs.ts";
import { BODY_ERRORS, EVENTS_TYPE, JSON_TYPE, NDJSON_TYPE, type Operation } from "./operation.ts";
import {
  getOutcomeType,
  getOutcomeTypeVersion,
  listOutcomeTypes,
  listOutcomeTypeVersions,
  putOutcomeType,
} from "./outcome-type-operations.ts";
import { getPriceRecommendation } from "./price-recommendation.ts";
import { PROVIDER_OPERATIONS } from "./providers.ts";
import { QUALITY_OPERATIONS } from "./quality.ts";
import { REVIEW_OPERATIONS } from "./reviews.ts";
import { anyReverificationSchema, jwksSchema, receiptSchema } from "./receipts.ts";
import { getMargin } from "./margin.ts";
import { getPriceBook, importRates } from "./price-book.ts";
import { getReconciliation, listReconciliations, reconcile } from "./reconciliations.ts";
import {
  closeStatement,
  getStatement,
  getStatementCsv,
  getStatementPage,
  listStatementLines,
  listStatements,
  payStatement,
} from "./statements.ts";
import { tryOutcomeType } from "./trials.ts";
import { summaryQuery, summarySchema } from "./summary.ts";

const healthSchema = z
  .object({
    status: z.enum(["ok", "failing", "draining"]),
    service: z.string(),
    checks: z.record(z.string(), z.object({ ok: z.boolean(), duration_ms: z.int() })),
  })
  .meta({ id: "Health" });

export const createJob = {
  id: "createJob",
  method: "post",
  path: "/v1/jobs",
  access: "customer",
  scope: "jobs:write",
  tag: "Jobs",
  summary: "Ask for an outcome",
  description:
    "The job is durable, and the most that it can cost you reserved, before this answers. You are charged only for a verified outcome.",
  headers: createJobHeaders,
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: createJobSchema },
  answers: {
    200: {
      description: "The closed job (`Prefer: wait`), or the job that this outcome_key was used for before.",
      schema: jobSchema,
      headers: {
        "Contingent-Existing-Job": "`true`: this outcome was asked for before; nothing is billed again.",
        "Idempotent-Replayed": "`true`: this is the stored answer to an earlier request.",
        "Preference-Applied": "How long the request was willing to wait.",
      },
    },
    202: {
      description: "Accepted.",
      schema: jobSchema,
      headers: {
        Location: "Where to read the job.",
        "Idempotent-Replayed": "`true`: this is the stored answer to an earlier request.",
        "Preference-Applied": "How long the request was willing to wait.",
      },
    },
  },
  errors: [
    ...BODY_ERRORS,
    "invalid_input",
    "invalid_idempotency_key",
    "insufficient_funds",
    "spending_limit_reached",
    "too_many_open_jobs",
    "deadline_out_of_reach",
    "outcome_type_not_found",
    "outcome_key_conflict",
    "idempotency_in_flight",
    "idempotency_key_reused",
    "too_many_waiting",
  ],
} as const satisfies Operation;

export const bulkCreateJobs = {
  id: "bulkCreateJobs",
  method: "post",
  path: "/v1/jobs/bulk",
  access: "customer",
  scope: "jobs:write",
  tag: "Jobs",
  summary: "Ask for many outcomes",
  description:
    "One request per line, one answer per line, in the same order and while lines still arrive. A bad line gets an error line and stops nothing; lines that come faster than requests may are read later. Give each line an outcome_key, so that a broken connection can simply be repeated.",
  query: z.strictObject({}),
  body: { type: NDJSON_TYPE, schema: createJobSchema },
  answers: { 200: { description: "One line per line.", schema: bulkLineSchema, type: NDJSON_TYPE } },
  errors: ["unsupported_media_type"],
} as const satisfies Operation;

export const getJob = {
  id: "getJob",
  method: "get",
  path: "/v1/jobs/{id}",
  access: "any",
  scope: "jobs:read",
  tag: "Jobs",
  summary: "Read a job, or wait for it",
  params: jobParams,
  query: getJobQuery,
  answers: { 200: { description: "The job as it stands.", schema: anyJobSchema } },
  errors: ["job_not_found", "too_many_waiting"],
} as const satisfies Operation;

export const listJobs = {
  id: "listJobs",
  method: "get",
  path: "/v1/jobs",
  access: "any",
  scope: "jobs:read",
  tag: "Jobs",
  summary: "List jobs, newest first",
  query: listJobsQuery,
  answers: { 200: { description: "A page of jobs.", schema: jobPageSchema } },
  errors: ["wrong_scope"],
} as const satisfies Operation;

export const watchJob = {
  id: "watchJob",
  method: "get",
  path: "/v1/jobs/{id}/events",
  access: "any",
  scope: "jobs:read",
  tag: "Jobs",
  summary: "Watch a job",
  description: "Server-sent events, from the first one or after `Last-Event-ID`. The stream ends after `job.closed`.",
  params: jobParams,
  query: z.strictObject({}),
  headers: jobEventsHeaders,
  answers: { 200: { description: "A stream of events.", schema: jobEventSchema, type: EVENTS_TYPE } },
  errors: ["job_not_found", "too_many_waiting"],
} as const satisfies Operation;

export const cancelJob = {
  id: "cancelJob",
  method: "post",
  path: "/v1/jobs/{id}/cancel",
  access: "any",
  scope: "jobs:write",
  tag: "Jobs",
  summary: "Cancel a job",
  description:
    "The job ends as a failure with the reason `canceled`, and is not charged. Canceling twice is the same as once.",
  params: jobParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The job, canceled.", schema: anyJobSchema } },
  errors: ["job_not_found", "job_not_cancelable"],
} as const satisfies Operation;

export const getReceipt = {
  id: "getReceipt",
  method: "get",
  path: "/v1/jobs/{id}/receipt",
  access: "any",
  scope: "jobs:read",
  tag: "Receipts",
  summary: "Get the signed receipt of a job's charge",
  description:
    "Issued when it is first asked for; from then on the same text, whatever happens to keys and systems. It holds hashes of input and output and none of their text.",
  params: jobParams,
  query: z.strictObject({}),
  answers: { 200: { description: "The receipt.", schema: receiptSchema } },
  errors: ["job_not_found", "no_charge", "payload_erased"],
} as const satisfies Operation;

export const getReceiptKeys = {
  id: "getReceiptKeys",
  method: "get",
  path: "/.well-known/jwks.json",
  access: "public",
  scope: null,
  tag: "Receipts",
  summary: "The public keys that receipts are verified with",
  description: "Every key that signs or has ever signed a receipt (RFC 7517).",
  answers: {
    200: {
      description: "A JWK set.",
      schema: jwksSchema,
      headers: {
        "Cache-Control": "For how long it may be kept. Fetch it again when a receipt names a key that it lacks.",
      },
    },
  },
  errors: ["database_unavailable", "internal_error"],
} as const satisfies Operation;

export const reverifyJob = {
  id: "reverifyJob",
  method: "post",
  path: "/v1/jobs/{id}/reverify",
  access: "any",
  scope: "jobs:read",
  tag: "Receipts",
  summary: "Reach a job's verdict again",
  description:
    "Runs the deterministic validators of the job's outcome type version on the stored evidence and says whether the verdict stands. Nothing is changed by it.",
  params: jobParams,
  query: z.strictObject({}),
  answers: { 200: { description: "Whether the verdict stands.", schema: anyReverificationSchema } },
  errors: ["job_not_found", "no_verdict"],
} as const satisfies Operation;

export const getSummary = {
  id: "getSummary",
  method: "get",
  path: "/v1/summary",
  access: "operator",
  scope: "books:read",
  tag: "Operator",
  summary: "What was sold, given away and paid for",
  query: summaryQuery,
  answers: { 200: { description: "Per outcome type and in total.", schema: summarySchema } },
  errors: [],
} as const satisfies Operation;

export const getHealth = {
  id: "getHealth",
  method: "get",
  path: "/healthz",
  access: "public",
  scope: null,
  tag: "Health",
  summary: "Is the process alive",
  answers: { 200: { description: "Alive.", schema: healthSchema }, 503: { description: "Not.", schema: healthSchema } },
  errors: [],
} as const satisfies Operation;

export const getReadiness = {
  id: "getReadiness",
  method: "get",
  path: "/readyz",
  access: "public",
  scope: null,
  tag: "Health",
  summary: "Can it do its work",
  answers: {
    200: { description: "Ready.", schema: healthSchema },
    503: { description: "Not now.", schema: healthSchema },
  },
  errors: [],
} as const satisfies Operation;

export const OPERATIONS: readonly Operation[] = [
  createJob,
  listJobs,
  getJob,
  watchJob,
  cancelJob,
  acceptJob,
  bulkCreateJobs,
  getReceipt,
  reverifyJob,
  openDispute,
  listDisputes,
  getDispute,
  withdrawDispute,
  resolveDispute,
  createCreditNote,
  listCreditNotes,
  putOutcomeType,
  tryOutcomeType,
  listOutcomeTypes,
  getOutcomeType,
  listOutcomeTypeVersions,
  getOutcomeTypeVersion,
  getPriceRecommendation,
  ...REVIEW_OPERATIONS,
  ...QUALITY_OPERATIONS,
  listStatements,
  getStatement,
  listStatementLines,
  getStatementCsv,
  getStatementPage,
  closeStatement,
  payStatement,
  getSummary,
  getMargin,
  getReceiptKeys,
  importRates,
  getPriceBook,
  getAttemptCost,
  correctCost,
  reconcile,
  listReconciliations,
  getReconciliation,
  checkBooks,
  listBookChecks,
  replyToInquiry,
  ...DEAD_LETTER_OPERATIONS,
  listJudges,
  reinstateJudge,
  ...PROVIDER_OPERATIONS,
  ...CUSTOMER_OPERATIONS,
  ...KEY_OPERATIONS,
  getHealth,
  getReadiness,
];
