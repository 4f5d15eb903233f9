import type { DisputeBody } from "@contingent/contracts/http/disputes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { afterCharges, chargedJob, credited, disputed, post } from "../open-dispute/charged.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function aDispute(amount?: string): Promise<DisputeBody> {
  return await disputed(api, await chargedJob(api), amount);
}

async function resolve(id: string, body: unknown): ReturnType<typeof post> {
  return await post(api.operator, `/v1/disputes/${id}/resolution`, body);
}

test("200: upheld, the charge stands and the customer reads why", async () => {
  const { id, job } = await aDispute();
  const upheld = await resolve(id, { outcome: "uphold", reason: "It is the total of page two." });
  expect(upheld).toMatchObject({
    status: 200,
    body: { state: "upheld", resolution: "It is the total of page two.", credited: null, credit_note: null },
  });
  expect((await api.customer.send({ path: `/v1/disputes/${id}` })).body).toEqual(upheld.body);
  expect(await api.customer.job(job)).toMatchObject({ price: { amount: "0.04" }, credited: { amount: "0.00" } });
});

test("200: credited, the job shows what was given back, and the operator's margin is less by it", async () => {
  const { id, job } = await aDispute();
  const before = await api.operator.jobInFull(job);
  const body = { outcome: "credit", amount: "0.025", reason: "So it is." };
  const credit = await resolve(id, body);
  expect(credit).toMatchObject({ status: 200, body: { state: "credited", credited: { amount: "0.025" } } });
  expect(await resolve(id, body)).toMatchObject({ status: 200, body: credit.body });
  expect(await api.customer.job(job)).toMatchObject({ price: { amount: "0.04" }, credited: { amount: "0.025" } });
  const after = await api.operator.jobInFull(job);
  expect(Number(before.margin.amount) - Number(after.margin.amount)).toBeCloseTo(0.025, 9);
  const notes = await api.customer.send({ path: `/v1/credit-notes?job=${job}` });
  const { credit_note: note } = credit.body as DisputeBody;
  expect(notes.body).toMatchObject({ data: [{ id: note, dispute: id, to: "receivable", reason: "So it is." }] });
});

test("200: the disputed amount is what is credited unless another is named", async () => {
  const { id } = await aDispute("0.03");
  expect(await resolve(id, { outcome: "credit", reason: "So it is." })).toMatchObject({
    status: 200,
    body: { credited: { amount: "0.03" } },
  });
});

test("200: the customer withdraws, as often as they like", async () => {
  const { id } = await aDispute();
  const withdrawn = await post(api.customer, `/v1/disputes/${id}/withdraw`);
  expect(withdrawn).toMatchObject({ status: 200, body: { state: "withdrawn", resolution: null } });
  expect(await post(api.customer, `/v1/disputes/${id}/withdraw`)).toMatchObject({ status: 200, body: withdrawn.body });
});

describe("nothing is written when it", () => {
  test.each<[string, unknown, Parameters<typeof expectError>[1], string]>([
    ["has no outcome", { reason: "r" }, "invalid_field", "/outcome"],
    ["has an outcome that there is not", { outcome: "refund", reason: "r" }, "invalid_field", "/outcome"],
    ["has no reason", { outcome: "uphold" }, "missing_field", "/reason"],
    ["upholds and credits", { outcome: "uphold", reason: "r", amount: "0.01" }, "unknown_field", "/amount"],
    ["credits nothing", { outcome: "credit", reason: "r", amount: "0.00" }, "invalid_field", "/amount"],
    [
      "credits more than is disputed",
      { outcome: "credit", reason: "r", amount: "0.031" },
      "amount_too_large",
      "/amount",
    ],
  ])("%s", async (_, body, code, param) => {
    const { id } = await aDispute("0.03");
    const before = await afterCharges(api);
    expectError(await resolve(id, body), code, param);
    expect(await afterCharges(api)).toEqual(before);
  });

  test("comes second", async () => {
    const { id } = await aDispute();
    await resolve(id, { outcome: "uphold", reason: "It is right." });
    const before = await afterCharges(api);
    const { message } = expectError(
      await resolve(id, { outcome: "credit", reason: "Or not." }),
      "dispute_resolved",
      "id",
    );
    expect(message).toContain("upheld already");
    expectError(await post(api.customer, `/v1/disputes/${id}/withdraw`), "dispute_resolved", "id");
    expect(await afterCharges(api)).toEqual(before);
  });

  test("finds that all was given back meanwhile", async () => {
    const { id, job } = await aDispute();
    await credited(api, job, "0.04", "all-of-it");
    const { message } = expectError(await resolve(id, { outcome: "credit", reason: "r" }), "amount_too_large");
    expect(message).toContain("it was given back already");
  });

  test("is about no dispute", async () => {
    expectError(await resolve("dsp_none", { outcome: "uphold", reason: "r" }), "dispute_not_found", "id");
  });
});
