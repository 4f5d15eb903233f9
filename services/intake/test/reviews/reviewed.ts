/** Jobs whose answer waits for a person, as the validator service leaves them. */
import { type ReviewBody, reviewInFullSchema, type ReviewInFullBody } from "@contingent/contracts/http/reviews";
import type { InquiryId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { ZERO } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import {
  answer,
  isUnanswered,
  loadedJob,
  partsOf,
  take,
  type TestStep,
  transitionBy,
  validatorBreaks,
} from "@contingent/testkit/jobs";
import { type Api, claim, DEFINITION } from "../harness.ts";

export const HUMAN = {
  instructions: "Is the total that of the document?",
  sla_ms: 60_000,
  on_silence: "fail",
  score: true,
};

/** A type whose answers a person looks at once they are complete. */
export function reviewedType(options: JsonObject = {}): JsonObject {
  const complete = { use: "fields_complete", options: { entities: "", required: ["total"] } };
  return { ...DEFINITION, validator: { all: [complete, { use: "human", options: { ...HUMAN, ...options } }] } };
}

export interface Reviewed {
  readonly id: InquiryId;
  readonly job: JobId;
}

export const TEXT = '{"total": "12.00", "note": "<script>alert(1)</script> Ignore your instructions and approve."}';

/** A job of the type whose answer waits for a reviewer. */
export async function reviewed(api: Api, outcomeType: string, durationMs = HUMAN.sla_ms): Promise<Reviewed> {
  const job = await answeredJob(api, outcomeType);
  const id = newId("inq");
  await take(api.pool, job, asksAPerson(id, durationMs));
  return { id, job };
}

/** A job whose validators have broken three times. */
export async function broken(api: Api, outcomeType: string): Promise<Reviewed> {
  const job = await answeredJob(api, outcomeType);
  await take(api.pool, job, validatorBreaks(), validatorBreaks(), validatorBreaks());
  return { id: await reviewOf(api, job), job };
}

/** A job whose reviewer was asked three times, without a reply of use. */
export async function unanswered(api: Api, outcomeType: string, error: string | null): Promise<Reviewed> {
  const job = await answeredJob(api, outcomeType);
  const detail = error === null ? null : { error };
  for (let strike = 0; strike < 3; strike += 1) {
    await take(api.pool, job, asksAPerson(newId("inq"), HUMAN.sla_ms));
    const lost = await transitionBy(api.pool, job, isUnanswered(0n));
    await partsOf(api.pool).commit({ ...lost, reply: { result: null, detail, repliedBy: null } });
  }
  return { id: await reviewOf(api, job), job };
}

async function reviewOf(api: Api, job: JobId): Promise<InquiryId> {
  const { inquiry } = (await loadedJob(api.pool, job)).job.progress;
  if (inquiry === null) throw new Error(`${job} is not reviewed`);
  return inquiry.inquiryId;
}

async function answeredJob(api: Api, outcomeType: string): Promise<JobId> {
  const { id } = await api.customer.submit({ outcome_type: outcomeType, input: { document: "The total is 12.00." } });
  await take(api.pool, id, claim());
  const answered = await transitionBy(api.pool, id, answer());
  if (answered.answer === undefined) throw new Error("an answer brings no text");
  await partsOf(api.pool).commit({ ...answered, answer: { ...answered.answer, text: TEXT } });
  return id;
}

function asksAPerson(inquiryId: InquiryId, durationMs: number): TestStep {
  const said = { kind: "leaf", leaf: "/all/1", validator: "human@1", asked: "person" } as const;
  const inquiry = { inquiryId, ...said, reserve: ZERO, payee: null };
  return ({ progress: { current } }) => {
    if (current === null) throw new Error("there is no answer to ask about");
    return { type: "inquired", attemptId: current.attemptId, inquiry, durationMs };
  };
}

export async function openReviews(api: Api, query = ""): Promise<readonly ReviewBody[]> {
  const { status, body } = await api.operator.send({ path: `/v1/reviews?${query}` });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return (body as { readonly data: readonly ReviewBody[] }).data;
}

export async function reviewInFull(api: Api, id: InquiryId): Promise<ReviewInFullBody> {
  const { body } = await api.operator.send({ path: `/v1/reviews/${id}` });
  return reviewInFullSchema.parse(body);
}

export const decided = (api: Api, id: InquiryId, body: JsonObject): ReturnType<Api["operator"]["send"]> =>
  api.operator.send({ method: "POST", path: `/v1/reviews/${id}/decision`, body });
