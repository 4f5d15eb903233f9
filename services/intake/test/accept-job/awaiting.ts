/** Outcomes that await acceptance, and how tests speak about them. */
import { type JobBody, jobSchema } from "@contingent/contracts/http/job";
import type { JobId } from "@contingent/core/ids";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { answer, judge, take, type TestStep } from "@contingent/testkit/jobs";
import { type Api, claim, DEFINITION, startApi } from "../harness.ts";

export const HOUR_MS = 3_600_000;
export const REASON = "The due date is missing.";
/** Long enough that no test outlasts it. */
const WINDOW = { mode: "window", duration_ms: HOUR_MS, on_silence: "accept" };

/** What an attempt does until the outcome is handed over. */
export const DELIVER: readonly TestStep[] = [claim(), answer(), judge("pass")];

/**
 * The API with two outcome types whose outcomes await acceptance: `reviewed`, and `reworked` when they are rejected. The one
 * says so beside its tree and the other within, which comes to the same.
 */
export async function startApiWithAcceptance(): Promise<Api> {
  const api = await startApi();
  await api.operator.publish("reviewed", { ...DEFINITION, acceptance: WINDOW });
  const validator = { all: [DEFINITION.validator, { use: "customer_acceptance", options: WINDOW }] };
  await api.operator.publish("reworked", { ...DEFINITION, validator, rework: true });
  return api;
}

/** A job whose outcome awaits acceptance. */
export async function awaiting(api: Api, type: "reviewed" | "reworked" = "reviewed"): Promise<JobId> {
  const { id } = await api.customer.submit({ outcome_type: type, input: { document: "Invoice 1" } });
  await take(api.pool, id, ...DELIVER);
  return id;
}

export function decideOn(api: Api, id: string, body: unknown, client = api.customer): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: `/v1/jobs/${id}/acceptance`, body });
}

export function accept(api: Api, id: string): Promise<ApiAnswer> {
  return decideOn(api, id, { decision: "accept" });
}

export function reject(api: Api, id: string, reason = REASON): Promise<ApiAnswer> {
  return decideOn(api, id, { decision: "reject", reason });
}

/** The job as its customer sees it, with its verdict. */
export async function jobOf(api: Api, id: string): Promise<JobBody> {
  const { body } = await api.customer.send({ path: `/v1/jobs/${id}?expand[]=verdict` });
  return jobSchema.parse(body);
}

/** Lets the job's window end this long ago, as if time had passed; nobody has come by yet. */
export async function endWindow(api: Api, id: string, agoMs = 1): Promise<void> {
  await api.pool.query({
    text: `UPDATE job SET ready_at = now() - $2::float8 * interval '1 ms', wake_at = now() WHERE id = $1`,
    values: [id, agoMs],
  });
}

export interface WrittenDecision {
  readonly revision: number;
  readonly decision: string;
  readonly reason: string | null;
  readonly decided_by: string;
  readonly verdict_id: string;
}

/** What is written down about decisions on the job. */
export async function decisionsOf(api: Api, id: string): Promise<readonly WrittenDecision[]> {
  const { rows } = await api.pool.query<WrittenDecision>({
    text: `SELECT revision, decision, reason, decided_by, verdict_id FROM acceptance_decision
            WHERE job_id = $1 ORDER BY revision`,
    values: [id],
  });
  return rows;
}
