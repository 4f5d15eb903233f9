import { afterAll, beforeAll, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

test("404: another customer's job does not exist", async () => {
  const { id } = await api.customer.submit(JOB);
  expectError(await api.otherCustomer.send({ path: `/v1/jobs/${id}/events` }), "job_not_found", "id");
});

test.each(["soon", "-1", "1.5", "9999999999"])("400: Last-Event-ID %s", async (last) => {
  const { id } = await api.customer.submit(JOB);
  const answer = await api.customer.send({ path: `/v1/jobs/${id}/events`, headers: { "last-event-id": last } });
  expectError(answer, "invalid_field", "last-event-id");
});
