import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { beginClosing, finishClosing } from "@contingent/ledger/statement/close";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";
import { moveTo } from "../months.ts";
import { afterCharges, chargedJob, credited, post } from "../open-dispute/charged.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const REASON = "As a courtesy.";

test("201 and then 200: the same ref gives once", async () => {
  const job = await chargedJob(api);
  const body = { job, amount: "0.01", reason: REASON, ref: "ticket-1" };
  const first = await post(api.operator, "/v1/credit-notes", body);
  expect(first).toMatchObject({
    status: 201,
    body: {
      job,
      customer: api.customerId,
      dispute: null,
      amount: { amount: "0.01" },
      to: "receivable",
      ref: "ticket-1",
    },
  });
  expect(await post(api.operator, "/v1/credit-notes", body)).toMatchObject({ status: 200, body: first.body });
  expect(await api.customer.job(job)).toMatchObject({ credited: { amount: "0.01" } });
});

test("200: a customer lists their own, and not by which name the operator gave them", async () => {
  const job = await chargedJob(api);
  const [one, two] = [await credited(api, job, "0.01", "a"), await credited(api, job, "0.02", "b")];
  const listed = await api.customer.send({ path: `/v1/credit-notes?job=${job}&limit=1` });
  expect(listed.body).toEqual({ object: "list", data: [two], has_more: true, next_cursor: two.id });
  const rest = await api.customer.send({ path: `/v1/credit-notes?job=${job}&cursor=${two.id}` });
  expect(rest.body).toMatchObject({ data: [one], has_more: false });
  expect(await api.otherCustomer.send({ path: `/v1/credit-notes?job=${job}` })).toMatchObject({ body: { data: [] } });
  expect(await api.operator.send({ path: `/v1/credit-notes?job=${job}` })).toMatchObject({
    body: { data: [{ ref: "b" }, { ref: "a" }] },
  });
});

describe("nothing is given for", () => {
  const BODY = { amount: "0.01", reason: REASON, ref: "r" };

  test.each<[string, object, Parameters<typeof expectError>[1], string]>([
    ["no amount", { ...BODY, amount: undefined }, "invalid_field", "/amount"],
    ["less than nothing", { ...BODY, amount: "-1" }, "invalid_field", "/amount"],
    ["more than the charge", { ...BODY, amount: "0.040000001" }, "amount_too_large", "/amount"],
    ["no reason", { ...BODY, reason: "" }, "invalid_field", "/reason"],
    ["no ref", { ...BODY, ref: undefined }, "missing_field", "/ref"],
    ["an empty ref", { ...BODY, ref: "" }, "invalid_field", "/ref"],
    ["a grant of the operator's choice", { ...BODY, grant: "gra_0001" }, "unknown_field", "/grant"],
    ["a job that there is not", { ...BODY, job: "job_none" }, "job_not_found", "/job"],
  ])("%s", async (_, body, code, param) => {
    const job = await chargedJob(api);
    const before = await afterCharges(api);
    expectError(await post(api.operator, "/v1/credit-notes", { job, ...body }), code, param);
    expect(await afterCharges(api)).toEqual(before);
  });

  test("a job that was not charged", async () => {
    const { id: job } = await api.customer.submit(JOB);
    expectError(await post(api.operator, "/v1/credit-notes", { ...BODY, job }), "no_charge", "/job");
  });

  test("a ref that stands for another credit", async () => {
    const job = await chargedJob(api);
    await credited(api, job, "0.01", "r");
    const before = await afterCharges(api);
    expectError(
      await post(api.operator, "/v1/credit-notes", { ...BODY, job, amount: "0.02" }),
      "credit_ref_reused",
      "/ref",
    );
    expect(await afterCharges(api)).toEqual(before);
  });

  test("a customer", async () => {
    expectError(await post(api.customer, "/v1/credit-notes", BODY), "wrong_scope");
    expectError(
      await api.customer.send({ path: "/v1/credit-notes?customer_id=cus_other" }),
      "wrong_scope",
      "customer_id",
    );
  });
});

test("409 while the charge's statement is being closed, and 201 afterwards", async () => {
  const job = await chargedJob(api);
  const statement = statementIdOf(api.customerId, periodAt(Date.now()));
  await moveTo(api, 0);
  expect(await beginClosing(api.pool, statement)).toMatchObject({ kind: "begun" });
  const body = { job, amount: "0.01", reason: REASON, ref: "ticket-closing" };
  const refused = await post(api.operator, "/v1/credit-notes", body);
  const { message } = expectError(refused, "statement_closing");
  expect(message).toContain(statement);
  expect(refused.headers.get("retry-after")).toBe("5");
  await finishClosing(api.pool, statement);
  expect(await post(api.operator, "/v1/credit-notes", body)).toMatchObject({ status: 201 });
});
