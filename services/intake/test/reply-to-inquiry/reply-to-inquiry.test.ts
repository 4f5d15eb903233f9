/** Hazard: whoever can reach the API decides what is billed; a reply counts twice, or for another job. */
import type { InquiryId, JobId } from "@contingent/core/ids";
import { ZERO } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { signatureHeaders, type SigningSecret } from "@contingent/runtime/outgoing/standard-webhooks";
import { answer, happens, isUnanswered, loadedJob, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, DEFINITION, HTTP_SECRETS, JOB, startApi } from "../harness.ts";

const OPTIONS = { url: "https://checks.example.com/", secret: "checks", mode: "callback", reply_within_ms: 60_000 };
const [OURS] = HTTP_SECRETS.get("checks") ?? [];
const OTHERS: SigningSecret = { key: Buffer.alloc(32, 8) };
const PASS = '{"decision":"pass"}';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  const complete = { use: "fields_complete", options: { entities: "", required: ["total"] } };
  const validator = { all: [complete, { use: "http", options: OPTIONS }] };
  await api.operator.publish(JOB.outcome_type, { ...DEFINITION, validator });
});
afterAll(() => api[Symbol.asyncDispose]());

interface Waiting {
  readonly id: InquiryId;
  readonly job: JobId;
}

/** A job that waits for the service's reply. */
async function waitingJob(durationMs = 60_000, asked: "service" | "person" = "service"): Promise<Waiting> {
  const { id: job } = await api.customer.submit(JOB);
  const id = newId("inq");
  const said = { kind: "leaf", leaf: "/all/1", validator: "http@1", asked, payee: null } as const;
  await take(api.pool, job, claim(), answer(), ({ progress: { current } }) => {
    if (current === null) throw new Error("there is no answer to ask about");
    const inquiry = { inquiryId: id, ...said, reserve: ZERO };
    return { type: "inquired", attemptId: current.attemptId, inquiry, durationMs };
  });
  return { id, job };
}

interface Changes {
  readonly secret?: SigningSecret | undefined;
  readonly signedId?: string;
  readonly ageS?: number;
  readonly sent?: string;
}

async function reply(id: string, body = PASS, changes: Changes = {}): Promise<ApiAnswer> {
  const { secret = OURS, signedId = id, ageS = 0, sent = body } = changes;
  const timestampS = Math.floor(Date.now() / 1_000) - ageS;
  const headers = signatureHeaders(secret === undefined ? [] : [secret], { id: signedId, timestampS, body });
  return await api.customer
    .as("")
    .send({ method: "POST", path: `/v1/inquiries/${id}/reply`, body: sent, headers: { ...headers } });
}

async function recorded(id: InquiryId): Promise<unknown> {
  const text = "SELECT outcome, score, findings, cost_state, detail FROM inquiry WHERE id = $1";
  return (await api.pool.query({ text, values: [id] })).rows[0];
}

describe("a service's reply", () => {
  test("is recorded, and the job goes on with it at once", async () => {
    const { id, job } = await waitingJob();
    const said = '{"score":0.4,"findings":[{"path":"/total","code":"wrong_total","message":"It is 12."}]}';
    const { status, body } = await reply(id, said);
    expect([status, body]).toEqual([200, { object: "inquiry", id, state: "replied", score: 0.4 }]);
    expect(await recorded(id)).toEqual({
      outcome: "replied",
      score: 0.4,
      findings: [{ path: "/total", code: "wrong_total", message: "It is 12." }],
      cost_state: "released",
      detail: { callback: true },
    });
    const { job: after, nowMs } = await loadedJob(api.pool, job);
    expect(after).toMatchObject({ state: "validating", progress: { inquiry: null, strikes: 0 } });
    expect(after.readyAtMs).toBeLessThanOrEqual(nowMs);
  });

  test("counts once, however often and from how many it comes", async () => {
    const { id } = await waitingJob();
    const answers = await Promise.all(Array.from({ length: 6 }, () => reply(id)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect((await reply(id, '{ "score": 1, "took_ms": 5 }')).status).toBe(200);
    expectError(await reply(id, '{"decision":"fail"}'), "inquiry_replied", "id");
    expect(await recorded(id)).toMatchObject({ outcome: "replied", score: 1 });
  });

  test.each<[string, (waiting: Waiting) => Promise<ApiAnswer>]>([
    ["signed with another secret", ({ id }) => reply(id, PASS, { secret: OTHERS })],
    ["about other bytes than were signed", ({ id }) => reply(id, '{"decision":"fail"}', { sent: PASS })],
    ["signed for another inquiry", ({ id }) => reply(id, PASS, { signedId: newId("inq") })],
    ["six minutes old", ({ id }) => reply(id, PASS, { ageS: 360 })],
    ["from the future", ({ id }) => reply(id, PASS, { ageS: -360 })],
    ["to nobody's inquiry", () => reply(newId("inq"))],
    [
      "not signed",
      ({ id }) => api.customer.as("").send({ method: "POST", path: `/v1/inquiries/${id}/reply`, body: PASS }),
    ],
    [
      "with an operator's key instead",
      ({ id }) => api.operator.send({ method: "POST", path: `/v1/inquiries/${id}/reply`, body: PASS }),
    ],
  ])("that is %s is refused, and nothing is written", async (_, send) => {
    const waiting = await waitingJob();
    expectError(await send(waiting), "invalid_signature", "webhook-signature");
    expect(await recorded(waiting.id)).toMatchObject({ outcome: null, cost_state: "held" });
  });

  test("is not looked at before its signature is good", async () => {
    const { id } = await waitingJob();
    expectError(await reply(id, "{", { secret: OTHERS }), "invalid_signature", "webhook-signature");
    expectError(await reply(id, "{"), "malformed_json");
  });

  test("to a person's inquiry is no reply", async () => {
    const { id } = await waitingJob(60_000, "person");
    expectError(await reply(id), "invalid_signature", "webhook-signature");
  });

  test.each([
    ["{}", "invalid_field", ""],
    ['{"decision":"maybe"}', "invalid_field", "/decision"],
    ['{"score":1.5}', "invalid_field", "/score"],
    ['{"decision":"pass","score":0}', "invalid_field", "/score"],
    ['{"score":0,"findings":[{"path":"/a"}]}', "missing_field", "/findings/0/message"],
    ['{"score":0,"findings":[{"code":"Not A Code","message":"x"}]}', "invalid_field", "/findings/0/code"],
    ['{"score":1,"score":0}', "duplicate_field", "/score"],
  ] as const)("%s is refused, with what to correct", async (body, code, param) => {
    const { id } = await waitingJob();
    expectError(await reply(id, body), code, param);
    expect(await recorded(id)).toMatchObject({ outcome: null });
  });

  test("comes too late once its time is over, its job has gone on, or nobody waits", async () => {
    const canceled = await waitingJob();
    await take(api.pool, canceled.job, happens("cancel"));
    const broken = await waitingJob();
    await take(api.pool, broken.job, isUnanswered(0n));
    for (const { id } of [canceled, broken]) expectError(await reply(id), "inquiry_over", "id");
    expect(await recorded(canceled.id)).toMatchObject({ outcome: "dropped" });
    expect(await recorded(broken.id)).toMatchObject({ outcome: "broke" });
  });
});
