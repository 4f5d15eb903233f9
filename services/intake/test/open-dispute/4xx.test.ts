import { happens, take } from "@contingent/testkit/jobs";
import { clockMoved } from "@contingent/testkit/customers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, JOB, startApiWithType } from "../harness.ts";
import { afterCharges, chargedJob, credited, disputed, post, REASON } from "./charged.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await api.operator.publish("final", { ...DEFINITION, dispute_window_ms: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());

const BODY = { reason: REASON };

describe("400: nothing is written, and the answer names the field", () => {
  test.each<[string, unknown, "invalid_field" | "missing_field" | "unknown_field", string]>([
    ["no reason", {}, "missing_field", "/reason"],
    ["a reason that says nothing", { reason: " \n" }, "invalid_field", "/reason"],
    ["a reason without end", { reason: "x".repeat(2_001) }, "invalid_field", "/reason"],
    ["an amount as a number", { ...BODY, amount: 0.01 }, "invalid_field", "/amount"],
    ["an amount of nothing", { ...BODY, amount: "0" }, "invalid_field", "/amount"],
    ["a negative amount", { ...BODY, amount: "-0.01" }, "invalid_field", "/amount"],
    ["finer than a nano", { ...BODY, amount: "0.0000000001" }, "invalid_field", "/amount"],
    ["a field that is not known", { ...BODY, refund: true }, "unknown_field", "/refund"],
  ])("%s", async (_, body, code, param) => {
    const job = await chargedJob(api);
    const before = await afterCharges(api);
    expectError(await post(api.customer, `/v1/jobs/${job}/dispute`, body), code, param);
    expect(await afterCharges(api)).toEqual(before);
  });
});

test("404: another customer's job does not exist, and neither does their dispute", async () => {
  const job = await chargedJob(api);
  expectError(await post(api.otherCustomer, `/v1/jobs/${job}/dispute`, BODY), "job_not_found", "id");
  const { id } = await disputed(api, job);
  expectError(await api.otherCustomer.send({ path: `/v1/disputes/${id}` }), "dispute_not_found", "id");
  expectError(await post(api.otherCustomer, `/v1/disputes/${id}/withdraw`), "dispute_not_found", "id");
  expectError(await api.customer.send({ path: "/v1/disputes/dsp_none" }), "dispute_not_found", "id");
});

test("404: what was not charged cannot be disputed", async () => {
  const { id } = await api.customer.submit(JOB);
  const open = expectError(await post(api.customer, `/v1/jobs/${id}/dispute`, BODY), "no_charge", "id");
  expect(open.message).toContain("still queued and not charged, so there is nothing to dispute");
  await take(api.pool, id, happens("cancel"), happens("settled"));
  const failed = expectError(await post(api.customer, `/v1/jobs/${id}/dispute`, BODY), "no_charge", "id");
  expect(failed.message).toContain("costs nothing");
});

test("403: an operator disputes nothing, and a customer sees nobody else's list", async () => {
  const job = await chargedJob(api);
  expectError(await post(api.operator, `/v1/jobs/${job}/dispute`, BODY), "wrong_scope");
  expectError(await api.customer.send({ path: "/v1/disputes?customer_id=cus_other" }), "wrong_scope", "customer_id");
  expectError(await api.customer.send({ path: "/v1/disputes?cursor=job_none" }), "invalid_field", "cursor");
});

test("409: another dispute is open, or more is asked for than is left", async () => {
  const job = await chargedJob(api);
  await credited(api, job, "0.015", "ticket-1");
  const path = `/v1/jobs/${job}/dispute`;
  const tooMuch = expectError(
    await post(api.customer, path, { ...BODY, amount: "0.0250001" }),
    "amount_too_large",
    "/amount",
  );
  expect(tooMuch.message).toContain("at most 0.025");
  const { id } = await disputed(api, job, "0.025");
  const another = expectError(await post(api.customer, path, { reason: "Something else." }), "dispute_open", "id");
  expect(another.message).toContain(id);
});

test("409: the window is over, by the customer's clock; what was disputed within it can still be asked for", async () => {
  const job = await chargedJob(api);
  const late = await chargedJob(api);
  const dispute = await disputed(api, job);
  await clockMoved(api.pool, api.customerId, { byMs: 31 * 86_400_000 });
  expect(await post(api.customer, `/v1/jobs/${job}/dispute`, BODY)).toMatchObject({ status: 200, body: dispute });
  const { message } = expectError(
    await post(api.customer, `/v1/jobs/${late}/dispute`, BODY),
    "dispute_window_over",
    "id",
  );
  expect(message).toMatch(/ended at \d{4}-\d\d-\d\dT/);
});

test("409: an outcome type may have no disputes at all", async () => {
  const job = await chargedJob(api, "final");
  expectError(await post(api.customer, `/v1/jobs/${job}/dispute`, BODY), "dispute_window_over", "id");
});
