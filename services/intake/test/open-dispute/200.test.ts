import { disputeSchema } from "@contingent/contracts/http/disputes";
import { transaction } from "@contingent/db/pool";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, startApiWithType } from "../harness.ts";
import { chargedJob, disputed, post, REASON } from "./charged.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

test("201: the dispute is open over the whole charge, with what the validators say to it, for both sides", async () => {
  const job = await chargedJob(api);
  const answer = await post(api.customer, `/v1/jobs/${job}/dispute`, { reason: REASON });
  const dispute = disputeSchema.parse(answer.body);
  expect(answer.status).toBe(201);
  expect(answer.headers.get("location")).toBe(`/v1/disputes/${dispute.id}`);
  expect(dispute).toMatchObject({
    job,
    customer: api.customerId,
    state: "open",
    reason: REASON,
    amount: { amount: "0.04", currency: "USD" },
    reverification: { job, stands: true, because: "same_result" },
    resolved_at: null,
    resolution: null,
    credited: null,
    credit_note: null,
  });
  for (const client of [api.customer, api.operator]) {
    expect((await client.send({ path: `/v1/disputes/${dispute.id}` })).body).toEqual(dispute);
  }
});

test("201: evidence that has been tampered with shows at once", async () => {
  const job = await chargedJob(api);
  await transaction(api.pool, async (client) => {
    await client.query({ text: "SET LOCAL session_replication_role = replica" });
    await client.query({ text: `UPDATE attempt SET output = '{"total":"2.00"}' WHERE job_id = $1`, values: [job] });
  });
  expect(await disputed(api, job)).toMatchObject({ reverification: { stands: false, because: "evidence_changed" } });
});

test("200: the same again is the same dispute, with or without the amount spelled out as at first", async () => {
  const job = await chargedJob(api);
  const dispute = await disputed(api, job, "0.01");
  const again = await post(api.customer, `/v1/jobs/${job}/dispute`, { reason: REASON, amount: "0.010" });
  expect(again).toMatchObject({ status: 200, body: dispute });
});

test("lists show a customer their own disputes and an operator all, by state, job and customer", async () => {
  const [first, second] = [await chargedJob(api), await chargedJob(api)];
  const [one, two] = [await disputed(api, first), await disputed(api, second)];
  await post(api.customer, `/v1/disputes/${two.id}/withdraw`);
  const idsOf = async (query: string, client = api.customer): Promise<readonly string[]> => {
    const { status, body } = await client.send({ path: `/v1/disputes?${query}` });
    expect(status).toBe(200);
    return (body as { data: { id: string }[] }).data.map(({ id }) => id);
  };
  expect(await idsOf(`job=${first}`)).toEqual([one.id]);
  expect((await idsOf("limit=2")).toSorted()).toEqual([one.id, two.id].toSorted());
  expect(await idsOf(`limit=1&cursor=${two.id}`)).toEqual([one.id]);
  expect(await idsOf("state=withdrawn")).toEqual([two.id]);
  expect(await idsOf("", api.otherCustomer)).toEqual([]);
  expect(await idsOf(`job=${first}`, api.otherCustomer)).toEqual([]);
  expect(await idsOf(`customer_id=${api.customerId}&limit=2`, api.operator)).toEqual([two.id, one.id]);
});
