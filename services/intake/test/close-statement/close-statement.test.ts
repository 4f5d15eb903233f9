import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { charged, moveTo, statementId } from "../months.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await moveTo(api, 0);
  await charged(api);
});
afterAll(() => api[Symbol.asyncDispose]());

const close = (n: number): { method: string; path: string } => ({
  method: "POST",
  path: `/v1/statements/${statementId(api, n)}/close`,
});

test("409 before its period is over, and nothing happens", async () => {
  const { message } = expectError(await api.operator.send(close(0)), "statement_not_closable", "id");
  expect(message).toContain("The period ends at");
  const { rows } = await api.pool.query("SELECT FROM statement");
  expect(rows).toEqual([]);
});

test("409 while an earlier one is open, which the message names; then 200, and the same again", async () => {
  await moveTo(api, 1);
  await charged(api);
  await moveTo(api, 2);
  expect(expectError(await api.operator.send(close(1)), "statement_not_closable").message).toContain(
    statementId(api, 0),
  );
  const first = await api.operator.send(close(0));
  expect(first).toMatchObject({
    status: 200,
    body: { state: "closed", number: expect.stringMatching(/-000001$/) as string },
  });
  expect((await api.operator.send(close(0))).body).toEqual(first.body);
  expect(await api.operator.send(close(1))).toMatchObject({ status: 200, body: { state: "closed" } });
});

test("404 for a period that had nothing, and for nobody's", async () => {
  await moveTo(api, 4);
  expectError(await api.operator.send(close(3)), "statement_not_found", "id");
  expectError(
    await api.operator.send({ method: "POST", path: "/v1/statements/stm_nobody202612/close" }),
    "statement_not_found",
  );
});

test("403 for a customer", async () => {
  expectError(await api.customer.send(close(0)), "wrong_scope");
});
