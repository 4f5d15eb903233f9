import { answer, happens, take, type TestStep } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

function reverify(id: string, client = api.customer): ReturnType<typeof client.send> {
  return client.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
}

test.each<[string, readonly TestStep[], string]>([
  ["an answer that is not judged yet", [claim(), answer()], "has no verdict yet"],
  ["an end without any verdict", [happens("cancel"), happens("settled")], "ended without a verdict (canceled)"],
])("409: %s", async (_, steps, why) => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, ...steps);
  expect(expectError(await reverify(id), "no_verdict", "id").message).toContain(why);
});

test("404: another customer's job does not exist", async () => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, ...SUCCEED);
  expectError(await reverify(id, api.otherCustomer), "job_not_found", "id");
});

test("400: what is no job's id, and a parameter that is not known", async () => {
  expectError(await reverify("42"), "invalid_field", "id");
  expectError(
    await api.customer.send({ method: "POST", path: "/v1/jobs/job_none/reverify?force=true" }),
    "unknown_field",
    "force",
  );
});
