import http from "node:http";
import net from "node:net";
import { errorSchema } from "@contingent/contracts/http/errors";
import type { Operation } from "@contingent/contracts/http/operation";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const GUARDED = OPERATIONS.filter(({ access }) => access !== "public");

function pathOf({ path }: Operation): string {
  return path.replace("{id}", "job_none").replace("{name}", "none").replace("{version}", "1");
}

/** What can be asked for with words of the caller's own, without naming one thing. */
const ASKED = OPERATIONS.flatMap(({ id, method, path, access, query }) =>
  method !== "get" || path.includes("{")
    ? []
    : Object.keys(query?.shape ?? {}).map((name) => [id, path, access, name] as const),
);

test.each(ASKED)("400 of %s (%s, %s) with a NUL in %s", async (_, path, access, name) => {
  const client = access === "customer" ? api.customer : api.operator;
  expectError(await client.send({ path: `${path}?${encodeURIComponent(name)}=a%00b` }), "invalid_field", name);
});

test.each(GUARDED.map((operation) => [operation.id, operation] as const))(
  "%s: 405 for another method, with those that are possible",
  async (_, operation) => {
    const answer = await api.operator.send({ method: "DELETE", path: pathOf(operation) });
    expectError(answer, "method_not_allowed");
    expect(answer.headers.get("allow")?.split(", ")).toContain(operation.method.toUpperCase());
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

test("a browser takes no answer for anything but what it says it is, and shows none to another site's script", async () => {
  const { key } = api.customer;
  const paths = [
    "/nothing",
    "/v1/jobs",
    "/v1/jobs/job_none",
    "/healthz",
    "/docs",
    "/docs/errors",
    "/docs/assets/start.js",
  ];
  for (const path of paths) {
    const headers = { origin: "https://elsewhere.example", authorization: `Bearer ${key}` };
    for (const method of ["GET", "OPTIONS"]) {
      const { headers: answered } = await fetch(`${api.url}${path}`, { method, headers });
      expect([path, method, answered.get("x-content-type-options")]).toEqual([path, method, "nosniff"]);
      const allowed = [...answered.keys()].filter((name) => name.startsWith("access-control-"));
      expect([path, method, ...allowed]).toEqual([path, method]);
    }
  }
});

describe("what is no request at all gets an error in the same form", () => {
  async function exchange(text: string): Promise<string> {
    const socket = net.connect(Number(new URL(api.url).port), "127.0.0.1");
    socket.end(text);
    const chunks: Uint8Array[] = [];
    for await (const chunk of socket as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  test.each([
    ["malformed_request", "400 Bad Request", "hello\r\n\r\n"],
    [
      "headers_too_large",
      "431 Request Header Fields Too Large",
      `GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
    ],
  ])("%s", async (code, status, text) => {
    const answer = await exchange(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
    const { error } = errorSchema.parse(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))));
    expect(error.code).toBe(code);
    expect(answer).toContain(`X-Request-Id: ${error.request_id}`);
  });
});

test("an error leaves the connection open for the next request", async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (const path of ["/nothing", "/v1/jobs/job_none", "/v1/summary"]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const headers = { authorization: `Bearer ${api.customer.key}` };
    http.get(`${api.url}${path}`, { agent, headers }, (response) => {
      ports.add(response.socket.localPort);
      response.resume().on("end", resolve);
    });
    await promise;
  }
  agent.destroy();
  expect(ports.size).toBe(1);
});
