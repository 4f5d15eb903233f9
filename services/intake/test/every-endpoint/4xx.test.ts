import { OPERATIONS, type Operation } from "@contingent/contracts/http/operations";
import type { KeyId } from "@contingent/core/ids";
import { createKey, keyIdOf, revokeKey } from "@contingent/db/keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const GUARDED = OPERATIONS.filter(({ access }) => access !== "public");

function requestFor(operation: Operation): { method: string; path: string; body?: unknown } {
  const path = operation.path.replace("{id}", "job_none").replace("{name}", "none").replace("{version}", "1");
  const method = operation.method.toUpperCase();
  return operation.method === "get" ? { method, path } : { method, path, body: {} };
}

describe.each(GUARDED.map((operation) => [operation.id, operation] as const))("%s", (_, operation) => {
  const request = requestFor(operation);

  test("401 without a key", async () => {
    const answer = await api.customer.as("").send(request);
    expectError(answer, "missing_api_key", "authorization");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("401 with a key that is mistyped", async () => {
    const { key } = api.customer;
    const mistyped = `${key.slice(0, -1)}${key.endsWith("0") ? "1" : "0"}`;
    expectError(await api.customer.as(mistyped).send(request), "invalid_api_key", "authorization");
  });

  test("401 with a revoked key", async () => {
    const { id, text } = await createKey(api.pool, { scope: "operator", label: "revoked" });
    await revokeKey(api.pool, id);
    expectError(await api.customer.as(text).send(request), "invalid_api_key", "authorization");
  });

  test("401 with an expired key", async () => {
    const { id, text } = await createKey(api.pool, { scope: "operator", label: "expired" });
    await api.pool.query({ text: "UPDATE api_key SET expires_at = now() WHERE id = $1", values: [id] });
    expectError(await api.customer.as(text).send(request), "invalid_api_key", "authorization");
  });

  test("401 with another key's secret", async () => {
    const { id, text } = await createKey(api.pool, { scope: "operator", label: "other" });
    const other = await createKey(api.pool, { scope: "operator", label: "another" });
    await api.pool.query({
      text: "UPDATE api_key SET secret_hash = (SELECT secret_hash FROM api_key WHERE id = $2) WHERE id = $1",
      values: [id, other.id],
    });
    expectError(await api.customer.as(text).send(request), "invalid_api_key", "authorization");
  });

  test("405 for another method, with those that are possible", async () => {
    const answer = await api.operator.send({ method: "DELETE", path: request.path });
    expectError(answer, "method_not_allowed");
    expect(answer.headers.get("allow")?.split(", ")).toContain(request.method);
  });
});

const SCOPED = GUARDED.filter(({ access }) => access !== "any");

test.each(SCOPED.map((operation) => [operation.id, operation] as const))(
  "%s: 403 with a key of the other scope",
  async (_, operation) => {
    const other = operation.access === "operator" ? api.customer : api.operator;
    expectError(await other.send(requestFor(operation)), "wrong_scope", "authorization");
  },
);

test("404 for a path that is not there, with or without a key", async () => {
  for (const path of [
    "/",
    "/v1",
    "/v2/jobs",
    "/v1/jobs/",
    "/v1/Jobs",
    "/v1/jobs/job_none/",
    "/v1/jobs/job_none/nothing",
  ]) {
    expectError(await api.customer.send({ path }), "route_not_found");
    expectError(await api.customer.as("").send({ path }), "route_not_found");
  }
});

test("404 for a path whose encoding is broken", async () => {
  const response = await fetch(`${api.url}/v1/jobs/%E0%A4%A`, {
    headers: { authorization: `Bearer ${api.customer.key}` },
  });
  expect(response.status).toBe(404);
});

test("a revoked key works on for five seconds at most", async () => {
  const { text } = await createKey(api.pool, { scope: "customer", customerId: api.customerId, label: "short" });
  const client = api.customer.as(text);
  expect((await client.send({ path: "/v1/jobs" })).status).toBe(200);
  const id: KeyId | null = keyIdOf(text);
  await revokeKey(api.pool, id ?? "key_");
  const started = performance.now();
  for (;;) {
    const { status } = await client.send({ path: "/v1/jobs" });
    if (status === 401) break;
    expect(performance.now() - started).toBeLessThan(6_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

test("a stored key is a hash and no text", async () => {
  const { rows } = await api.pool.query({ text: "SELECT row_to_json(k)::text AS stored FROM api_key k" });
  expect(JSON.stringify(rows)).not.toContain(api.customer.key.split("_")[3]);
});
