import { afterAll, beforeAll, describe, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("400", () => {
  test.each([
    ["state=open", "state"],
    ["resolution=won", "resolution"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=ten", "limit"],
    ["cursor=abc", "cursor"],
    ["cursor=job_X", "cursor"],
    ["created_from=yesterday", "created_from"],
    ["created_from=2026-01-01", "created_from"],
    ["customer_id=42", "customer_id"],
    ["outcome_type=No%20Type", "outcome_type"],
  ])("%s", async (query, param) => {
    expectError(await api.customer.send({ path: `/v1/jobs?${query}` }), "invalid_field", param);
  });

  test("a misspelt filter is not silently left out", async () => {
    expectError(await api.customer.send({ path: "/v1/jobs?stat=closed" }), "unknown_field", "stat");
  });
});

test("403: a customer asks for another customer's jobs", async () => {
  expectError(await api.customer.send({ path: "/v1/jobs?customer_id=cus_other" }), "wrong_scope", "customer_id");
});
