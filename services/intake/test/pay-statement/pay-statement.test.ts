import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { charged, closed, moveTo, statementId } from "../months.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await moveTo(api, 0);
  for (let n = 0; n < 3; n += 1) await charged(api);
  await closed(api, 0);
  await charged(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const pay = (n: number, body: unknown): { method: string; path: string; body: unknown } => ({
  method: "POST",
  path: `/v1/statements/${statementId(api, n)}/payments`,
  body,
});

async function payments(): Promise<number> {
  const { rows } = await api.pool.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM ledger_transaction WHERE kind = 'payment'",
  );
  return rows[0]?.count ?? 0;
}

test("200: a part, the same again, and the rest", async () => {
  const part = await api.operator.send(pay(0, { ref: "wire 1", amount: "0.05" }));
  expect(part).toMatchObject({ status: 200, body: { paid: { amount: "0.05" }, balance: { amount: "0.07" } } });
  expect((await api.operator.send(pay(0, { ref: "wire 1", amount: "0.05" }))).body).toEqual(part.body);
  expect(
    expectError(await api.operator.send(pay(0, { ref: "wire 2", amount: "0.08" })), "overpayment", "/amount").message,
  ).toContain("0.07");
  expectError(await api.operator.send(pay(0, { ref: "wire 1", amount: "0.07" })), "payment_ref_reused", "/ref");
  expect(await payments()).toBe(1);
  const rest = await api.operator.send(pay(0, { ref: "wire 2", amount: "0.07" }));
  expect(rest).toMatchObject({ status: 200, body: { state: "closed", balance: { amount: "0.00" } } });
  expect(await payments()).toBe(2);
});

test.each([
  [{ amount: "0.01" }, "missing_field", "/ref"],
  [{ ref: "", amount: "0.01" }, "invalid_field", "/ref"],
  [{ ref: "x" }, "invalid_field", "/amount"],
  [{ ref: "x", amount: 1 }, "invalid_field", "/amount"],
  [{ ref: "x", amount: "0" }, "invalid_field", "/amount"],
  [{ ref: "x", amount: "-1" }, "invalid_field", "/amount"],
  [{ ref: "x", amount: "0.005" }, "invalid_field", "/amount"],
  [{ ref: "x", amount: "0.01", currency: "EUR" }, "unknown_field", "/currency"],
] as const)("400: %j", async (body, code, param) => {
  const before = await payments();
  expectError(await api.operator.send(pay(0, body)), code, param);
  expect(await payments()).toBe(before);
});

test("409 for one that is not closed, 404 for one that there is not, 403 for a customer", async () => {
  const body = { ref: "early", amount: "0.01" };
  expectError(await api.operator.send(pay(1, body)), "statement_not_closed");
  expectError(await api.operator.send(pay(7, body)), "statement_not_found");
  expectError(await api.customer.send(pay(0, body)), "wrong_scope");
});
