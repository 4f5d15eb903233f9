import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const post = (body: unknown, headers: Record<string, string> = {}): ReturnType<Api["customer"]["send"]> =>
  api.customer.send({
    method: "POST",
    path: "/v1/jobs",
    body,
    headers: { "content-type": "application/json", ...headers },
  });

describe("a body that cannot be read", () => {
  test.each<[string, string, Parameters<typeof expectError>[1], string | null | undefined]>([
    ["text", "hello", "malformed_json", null],
    ["half an object", '{"outcome_type":', "malformed_json", null],
    ["a trailing comma", '{"a":1,}', "malformed_json", null],
    ["nothing", "", "missing_field", ""],
    ["200 kB of brackets", "[".repeat(100_000) + "]".repeat(100_000), "json_too_deep", undefined],
    ["a key twice", '{"outcome_type":"a","outcome_type":"b","input":1}', "duplicate_field", "/outcome_type"],
    ["a NUL character", '{"outcome_type":"a","input":"\\u0000"}', "unusable_text", "/input"],
    ["half a surrogate pair", '{"outcome_type":"a","input":"\\ud800"}', "unusable_text", "/input"],
    ["a number beyond doubles", '{"outcome_type":"a","input":1e999}', "unusable_text", "/input"],
  ])("%s", async (_, body, code, param) => {
    expectError(await post(body), code, param);
  });
});

describe("a field that does not fit", () => {
  test.each<[string, unknown, Parameters<typeof expectError>[1], string]>([
    ["no outcome_type", { input: {} }, "missing_field", "/outcome_type"],
    ["no input", { outcome_type: "data-extraction" }, "missing_field", "/input"],
    ["outcome_type as a number", { ...JOB, outcome_type: 7 }, "invalid_field", "/outcome_type"],
    ["outcome_type in capitals", { ...JOB, outcome_type: "Data" }, "invalid_field", "/outcome_type"],
    ["an unknown field", { ...JOB, priority: "high" }, "unknown_field", "/priority"],
    ["a customer", { ...JOB, customer_id: "cus_other" }, "unknown_field", "/customer_id"],
    ["an empty outcome_key", { ...JOB, outcome_key: "" }, "invalid_field", "/outcome_key"],
    ["a long outcome_key", { ...JOB, outcome_key: "x".repeat(256) }, "invalid_field", "/outcome_key"],
    ["outcome_key null", { ...JOB, outcome_key: null }, "invalid_field", "/outcome_key"],
    ["metadata with a number", { ...JOB, metadata: { a: 1 } }, "invalid_field", "/metadata/a"],
    ["metadata as a list", { ...JOB, metadata: [] }, "invalid_field", "/metadata"],
    [
      "too much metadata",
      { ...JOB, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ""])) },
      "invalid_field",
      "/metadata",
    ],
    ["a list instead of an object", [], "invalid_field", ""],
    ["a text instead of an object", '"text"', "invalid_field", ""],
  ])("%s", async (_, body, code, param) => {
    expectError(await post(body), code, param);
  });

  test("the message says what to change", async () => {
    expect(expectError(await post({ ...JOB, outcome_type: 7 }), "invalid_field").message).toBe(
      "/outcome_type: must be a string, received number.",
    );
    expect(expectError(await post({ ...JOB, priority: 1 }), "unknown_field").message).toMatch(
      /priority: is not known here/,
    );
  });

  test("all mistakes are listed at once", async () => {
    const { problems } = expectError(await post({ outcome_type: 7, metadata: 1, typo: 1 }), "invalid_field");
    expect(problems?.map(({ param }) => param)).toEqual(["/outcome_type", "/input", "/metadata", "/typo"]);
  });
});

describe("an input that does not fit its outcome type", () => {
  test.each<[string, unknown, string]>([
    ["a missing field", {}, "/input"],
    ["a wrong type", { document: 1 }, "/input/document"],
    ["an additional field", { document: "x", extra: 1 }, "/input"],
    ["something else", "document", "/input"],
  ])("%s", async (_, input, param) => {
    expectError(await post({ ...JOB, input }), "invalid_input", param);
  });

  test("nothing is made or held", async () => {
    await post({ ...JOB, input: {}, outcome_key: "refused" });
    const { rowCount } = await api.pool.query("SELECT FROM job WHERE outcome_key = 'refused'");
    expect(rowCount).toBe(0);
  });
});

test.each(["", '""', "x".repeat(256)])("an Idempotency-Key of %j is refused", async (key) => {
  expectError(await post(JOB, { "idempotency-key": key }), "invalid_idempotency_key", "idempotency-key");
});

test("a query that the endpoint does not know is refused", async () => {
  const answer = await api.customer.send({ method: "POST", path: "/v1/jobs?wait=5", body: JOB });
  expectError(answer, "unknown_field", "wait");
});

test("an error never repeats the input", async () => {
  const secret = "canary-7f3a";
  await post(`{"outcome_type": ${secret}}`);
  await post({ ...JOB, input: { document: 5, [secret]: secret } });
  expect(api.log.join("")).not.toContain(secret);
});
