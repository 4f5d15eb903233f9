import { afterAll, beforeAll, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

test.each(["application/json", "text/plain"])("415: %s instead of lines", async (type) => {
  const headers = { "content-type": type };
  const answer = await api.customer.send({ method: "POST", path: "/v1/jobs/bulk", body: JOB, headers });
  expectError(answer, "unsupported_media_type", "content-type");
});

test("405: the path is no job's", async () => {
  expectError(await api.customer.send({ path: "/v1/jobs/bulk" }), "method_not_allowed");
});
