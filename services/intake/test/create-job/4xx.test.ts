import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

test("404: an outcome type that is not there", async () => {
  const answer = await api.customer.send({
    method: "POST",
    path: "/v1/jobs",
    body: { ...JOB, outcome_type: "nothing" },
  });
  expectError(answer, "outcome_type_not_found", "/outcome_type");
});

test("409: an outcome_key that was used for another input", async () => {
  const { id } = await api.customer.submit({ ...JOB, outcome_key: "k" });
  const body = { ...JOB, outcome_key: "k", input: { document: "another" } };
  const { message } = expectError(
    await api.customer.send({ method: "POST", path: "/v1/jobs", body }),
    "outcome_key_conflict",
    "/outcome_key",
  );
  expect(message).toContain(id);
});

describe("413: a body that is too large", () => {
  test("is refused by its length", async () => {
    const body = { ...JOB, input: { document: "x".repeat(300_000) } };
    expectError(await api.customer.send({ method: "POST", path: "/v1/jobs", body }), "body_too_large");
  });

  test("is refused while it arrives, when it has no length", async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${api.customer.key}`, "content-type": "application/json" };
      const request = http.request(`${api.url}/v1/jobs`, { method: "POST", headers });
      const timer = setInterval(() => request.write("x".repeat(64 * 1024)), 1);
      request.on("response", (response) => {
        clearInterval(timer);
        resolve(response.statusCode);
        request.destroy();
      });
      request.on("error", (error) => {
        clearInterval(timer);
        reject(error);
      });
    });
    expect(status).toBe(413);
  });

  test("just below the bound is accepted", async () => {
    const body = { ...JOB, input: { document: "x".repeat(261_000) } };
    expect((await api.customer.send({ method: "POST", path: "/v1/jobs", body })).status).toBe(202);
  });
});

describe("415: a body of another kind", () => {
  test.each([
    ["text/plain", {}],
    ["application/x-www-form-urlencoded", {}],
    ["application/json; charset=utf-16", {}],
    ["application/json", { "content-encoding": "gzip" }],
  ])("%s %j", async (type, headers) => {
    const answer = await api.customer.send({
      method: "POST",
      path: "/v1/jobs",
      body: JSON.stringify(JOB),
      headers: { "content-type": type, ...headers },
    });
    expectError(answer, "unsupported_media_type", "content-type");
  });

  test.each(["application/json; charset=UTF-8", "Application/JSON", 'application/json;charset="utf-8"'])(
    "%s is fine",
    async (type) => {
      const headers = { "content-type": type };
      expect((await api.customer.send({ method: "POST", path: "/v1/jobs", body: JOB, headers })).status).toBe(202);
    },
  );
});
