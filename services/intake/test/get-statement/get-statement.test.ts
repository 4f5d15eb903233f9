import { nanos } from "@contingent/core/money";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType, TYPE } from "../harness.ts";
import { agree, charged, closed, credited, month, moveTo, statementId, unbilled } from "../months.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await moveTo(api, 0);
  await agree(api, { discountShare: 0.5, commitmentMinimum: nanos(100_000_000n) });
  await charged(api);
  const credit = await charged(api);
  await credited(api, credit, 30_000_000n);
  await unbilled(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const usd = (amount: string): object => ({ amount, currency: "USD" });

test("200: an open statement is what its lines come to now, and a closed one stays what it was", async () => {
  const path = `/v1/statements/${statementId(api, 0)}`;
  const open = await api.customer.send({ path });
  // Half of 0.04, and half of what the credit leaves of the other 0.04.
  const figures = {
    lines: { billed: 2, unbilled: 1, credit_notes: 1 },
    gross: usd("0.08"),
    allowance: usd("0.00"),
    discount: usd("0.025"),
    credits: usd("0.03"),
    commitment_true_up: usd("0.045"),
    total: usd("0.07"),
    rounding: usd("0.00"),
    amount_due: usd("0.07"),
    balance: usd("0.07"),
    outcome_types: [
      {
        outcome_type: TYPE,
        billed: 2,
        unbilled: 1,
        gross: usd("0.08"),
        reductions: usd("0.025"),
        credits: usd("0.03"),
      },
    ],
    terms_version: 1,
  };
  expect(open.status).toBe(200);
  const period = { start: new Date(month(0).startMs).toISOString(), end: new Date(month(0).endMs).toISOString() };
  expect(open.body).toMatchObject({
    ...figures,
    state: "open",
    number: null,
    closed_at: null,
    lines_sha256: null,
    period,
  });
  const done = await closed(api, 0);
  expect(done).toMatchObject({
    ...figures,
    state: "closed",
    number: expect.stringMatching(/^\d{4}-000001$/) as string,
  });
  await charged(api);
  expect((await api.customer.send({ path })).body).toEqual(done);
  expect((await api.operator.send({ path })).body).toEqual(done);
});

test("404: another customer's statement, a period to come, an empty one, and what is no statement's id", async () => {
  const path = (id: string): { path: string } => ({ path: `/v1/statements/${id}` });
  expectError(await api.otherCustomer.send(path(statementId(api, 0))), "statement_not_found", "id");
  for (const id of [statementId(api, 5), "stm_nobody202612", "stm_nobody202613", "stm_none"]) {
    expectError(await api.operator.send(path(id)), "statement_not_found", "id");
  }
});

test("400: an id of another kind", async () => {
  expectError(await api.operator.send({ path: "/v1/statements/job_none" }), "invalid_field", "id");
});
