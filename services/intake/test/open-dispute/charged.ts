/** Jobs that were charged 0.04, and what can be asked about their charges. */
import {
  type CreditNoteBody,
  creditNoteSchema,
  type DisputeBody,
  disputeSchema,
} from "@contingent/contracts/http/disputes";
import type { JobId } from "@contingent/core/ids";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { expect } from "vitest";
import { type Api, TYPE } from "../harness.ts";
import { judgedJob } from "../reverify-job/judged-job.ts";

export const REASON = "The total is that of another invoice.";

export async function chargedJob(api: Api, outcomeType: string = TYPE): Promise<JobId> {
  return await judgedJob(api, { outcomeType, input: { document: "Invoice 1" }, text: '{"total":"1.00"}' });
}

export async function post(client: Api["customer"], path: string, body?: unknown): Promise<ApiAnswer> {
  return await client.send({ method: "POST", path, ...(body === undefined ? {} : { body }) });
}

/** Opens a dispute that can be opened. */
export async function disputed(api: Api, job: JobId, amount?: string, reason = REASON): Promise<DisputeBody> {
  const body = amount === undefined ? { reason } : { reason, amount };
  const answer = await post(api.customer, `/v1/jobs/${job}/dispute`, body);
  expect(answer.status).toBe(201);
  return disputeSchema.parse(answer.body);
}

/** Gives a credit that can be given. */
export async function credited(api: Api, job: JobId, amount: string, ref: string): Promise<CreditNoteBody> {
  const answer = await post(api.operator, "/v1/credit-notes", { job, amount, reason: "As a courtesy.", ref });
  expect(answer.status).toBe(201);
  return creditNoteSchema.parse(answer.body);
}

/** Everything that is written about charges after they were made. */
export async function afterCharges(api: Api): Promise<readonly unknown[]> {
  const { rows } = await api.pool.query<Record<string, unknown>>({
    text: `SELECT (SELECT count(*) FROM ledger_transaction) AS booked, (SELECT count(*) FROM credit_note) AS notes,
                  (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY id), '[]') FROM dispute d) AS disputes`,
  });
  return rows;
}
