import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

test("404: another customer's job does not exist", async () => {
  const { id } = await api.customer.submit(JOB);
  const theirs = expectError(await api.otherCustomer.send({ path: `/v1/jobs/${id}` }), "job_not_found", "id");
  const nobodys = expectError(await api.otherCustomer.send({ path: "/v1/jobs/job_none" }), "job_not_found", "id");
  expect(theirs.message.replace(id, "…")).toBe(nobodys.message.replace("job_none", "…"));
  expectError(await api.otherCustomer.send({ path: `/v1/jobs/${id}?wait=30` }), "job_not_found");
});

describe("400", () => {
  test.each([
    ["/v1/jobs/42", "id"],
    ["/v1/jobs/att_01kb0c3v5q8w2e4r6t7y9u1i3o", "id"],
    ["/v1/jobs/job_UPPER", "id"],
    [`/v1/jobs/job_${"x".repeat(100)}`, "id"],
    ["/v1/jobs/job_none?wait=61", "wait"],
    ["/v1/jobs/job_none?wait=-1", "wait"],
    ["/v1/jobs/job_none?wait=1.5", "wait"],
    ["/v1/jobs/job_none?wait=", "wait"],
    ["/v1/jobs/job_none?wait=1&wait=2", "wait"],
    ["/v1/jobs/job_none?expand%5B%5D=everything", "expand[]"],
    ["/v1/jobs/job_none?expand%5B%5D=attempts,cost", "expand[]"],
  ])("%s", async (path, param) => {
    expectError(await api.customer.send({ path }), "invalid_field", param);
  });

  test("a misspelt parameter", async () => {
    expectError(await api.customer.send({ path: "/v1/jobs/job_none?expnd=attempts" }), "unknown_field", "expnd");
  });
});
