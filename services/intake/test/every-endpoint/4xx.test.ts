import http from "node:http";
import net from "node:net";
import { errorSchema } from "@contingent/contracts/http/errors";
import type { Operation } from "@contingent/contracts/http/operation";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import express from "express";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROUTES } from "../../src/routes/routes.ts";
import { startIntakeServer } from "../../src/server.ts";
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

test("there is no route but those of the contract, which every caller is held against", () => {
  const served = ROUTES.map(({ operation }) => operation.id);
  expect(served.toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
});

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

describe("what Node would refuse by itself, or never hands on, gets an error in the same form", () => {
  const port = (): number => Number(new URL(api.url).port);

  /** Sends this, and listens until the other side hangs up. */
  async function exchange(text: string, to = port(), afterwards = ""): Promise<string> {
    const socket = net.connect(to, "127.0.0.1");
    socket.write(text);
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of socket as AsyncIterable<Uint8Array>) {
        if (chunks.length === 0 && afterwards !== "") socket.write(afterwards);
        chunks.push(chunk);
      }
    } catch {
      // Hung up without a word.
    }
    return Buffer.concat(chunks).toString();
  }

  const requestLine = "GET /healthz HTTP/1.1\r\n";
  const get = (...headers: readonly string[]): string =>
    `${requestLine}${["Connection: close", ...headers].map((header) => `${header}\r\n`).join("")}\r\n`;
  const post = (...headers: readonly string[]): string => get("Host: x", ...headers).replace("GET", "POST");

  test.each([
    ["no HTTP", "malformed_request", "400 Bad Request", "hello\r\n\r\n"],
    ["TLS", "malformed_request", "400 Bad Request", "\u0016\u0003\u0001\u0002\u0000"],
    ["a later HTTP", "malformed_request", "400 Bad Request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["no Host", "malformed_request", "400 Bad Request", get()],
    ["two Hosts", "malformed_request", "400 Bad Request", get("Host: x", "Host: y")],
    ["a Host that is none", "malformed_request", "400 Bad Request", get("Host: x/y z")],
    ["two lengths", "malformed_request", "400 Bad Request", post("Content-Length: 1", "Transfer-Encoding: chunked")],
    ["a space before a colon", "malformed_request", "400 Bad Request", get("Host : x")],
    ["an expectation", "expectation_failed", "417 Expectation Failed", get("Host: x", "Expect: the-best")],
    ["a tunnel", "method_not_allowed", "405 Method Not Allowed", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
    [
      "a long header",
      "headers_too_large",
      "431 Request Header Fields Too Large",
      get("Host: x", `X-Long: ${"x".repeat(20_000)}`),
    ],
    [
      "many headers",
      "headers_too_large",
      "431 Request Header Fields Too Large",
      get("Host: x", ...Array.from({ length: 120 }, (_, n) => `X-${n}: 1`)),
    ],
  ])("%s: %s", async (_, code, status, text) => {
    expect(refusalIn(await exchange(text))).toEqual({ status, code, ...AS_ALWAYS });
  });

  test("headers that never end: request_timeout", async () => {
    const patience = { headersMs: 100, requestMs: 100, checkMs: 20 };
    await using server = await startIntakeServer(express(), "127.0.0.1", 0, patience);
    const refusal = refusalIn(await exchange(`${requestLine}Host: x\r\n`, server.port));
    expect(refusal).toEqual({ status: "408 Request Timeout", code: "request_timeout", ...AS_ALWAYS });
  });

  test("HTTP/1.0 needs no Host, and 100-continue is an expectation like any client's", async () => {
    expect(await exchange(get().replace("HTTP/1.1", "HTTP/1.0"))).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    const answer = await exchange(get("Host: x", "Expect: 100-continue"));
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  });

  test("but it is put neither in place of another request's answer nor into one that has begun", async () => {
    const behindAnother = `${get("Host: x").replace("Connection: close\r\n", "")}hello\r\n\r\n`;
    expect(await exchange(behindAnother)).not.toContain("malformed_request");
    const { key } = api.customer;
    const headers = [
      `Authorization: Bearer ${key}`,
      "Content-Type: application/x-ndjson",
      "Transfer-Encoding: chunked",
    ];
    const upload = post(...headers).replace("/healthz", "/v1/jobs/bulk");
    const answer = await exchange(`${upload}3\r\n{}\n\r\n`, port(), "no chunk\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer.match(/HTTP\/1.1/g)).toHaveLength(1);
  });

  const AS_ALWAYS = {
    type: "application/json; charset=utf-8",
    cache: "no-store",
    sniff: "nosniff",
    isNamed: true,
    isExplained: true,
  };

  function refusalIn(answer: string): typeof AS_ALWAYS & { readonly status: string; readonly code: string } {
    const [head = "", text = ""] = answer.split("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const { error } = errorSchema.strict().parse(JSON.parse(text));
    const headers = new Headers(lines.map((line) => line.split(": ") as [string, string]));
    return {
      status: first.replace("HTTP/1.1 ", ""),
      code: error.code,
      type: headers.get("content-type") ?? "",
      cache: headers.get("cache-control") ?? "",
      sniff: headers.get("x-content-type-options") ?? "",
      isNamed: headers.get("x-request-id") === error.request_id,
      isExplained: error.doc_url.endsWith(`/docs/errors#${error.code}`),
    };
  }
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
