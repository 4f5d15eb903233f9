/** Hazard: a request that is small and expensive: everybody else waits while the API reads, compiles or unpacks it. */
import { request as httpRequest } from "node:http";
import net from "node:net";
import { gzipSync } from "node:zlib";
import { errorSchema } from "@contingent/contracts/http/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttackedApi, startAttackedApi, type Tenant } from "./support/api.ts";
import { DEFINITION, JOB, TYPE } from "./support/types.ts";

/** What others may wait meanwhile. Compiling the worst of these took the API eight seconds. */
const WAIT_MS_MAX = 3_000;

let api: AttackedApi;
let tenant: Tenant;
beforeAll(async () => {
  api = await startAttackedApi();
  tenant = await api.newTenant();
  await api.operator.publish(TYPE, DEFINITION);
});
afterAll(() => api[Symbol.asyncDispose]());

function publish(changes: object) {
  return api.operator.send({ method: "PUT", path: "/v1/outcome-types/bomb", body: { ...DEFINITION, ...changes } });
}

/** Sends it, and looks how long others wait for their answers meanwhile. */
async function whileOthersAsk<T>(send: () => Promise<T>): Promise<{ readonly answer: T; readonly longestMs: number }> {
  const done = new AbortController();
  let longestMs = 0;
  const asking = (async () => {
    while (!done.signal.aborted) {
      const startMs = performance.now();
      await api.operator.send({ path: `/v1/outcome-types/${TYPE}` });
      longestMs = Math.max(longestMs, performance.now() - startMs);
    }
  })();
  const answer = await send().finally(() => done.abort());
  await asking;
  return { answer, longestMs };
}

/** Each definition names the one before it twice. */
const doubled = (n: number): object => ({
  $defs: Object.fromEntries(
    Array.from({ length: n }, (_, i) => [
      `d${i}`,
      i === 0 ? { type: "string" } : { allOf: [{ $ref: `#/$defs/d${i - 1}` }, { $ref: `#/$defs/d${i - 1}` }] },
    ]),
  ),
  $ref: `#/$defs/d${n - 1}`,
});
const deep = (n: number): object => (n === 0 ? {} : { properties: { a: deep(n - 1) } });

describe("a definition", () => {
  test.each([
    ["a schema of references that double each time", "output_schema", doubled(20)],
    ["a schema that refers to itself", "output_schema", { $ref: "#" }],
    ["a schema that refers to somewhere else", "output_schema", { $ref: "http://127.0.0.1/schema.json" }],
    ["a schema with $data", "output_schema", { properties: { a: { minimum: { $data: "1/b" } } } }],
    ["a schema that nests too deep", "output_schema", deep(20)],
    ["a schema that is too large", "output_schema", { description: "x".repeat(70_000) }],
    ["patterns of counted repetitions", "output_schema", { pattern: "a{1000}".repeat(1_000) }],
    ["look-around, which no linear engine has", "output_schema", { pattern: "^(?=a)(a|a)*$" }],
    [
      "patterns of a check",
      "validator",
      { use: "regex", options: { fields: [{ path: "", pattern: "a{1000}".repeat(500) }] } },
    ],
  ] as const)("%s is refused, and nobody waits for it", async (_, part, bomb) => {
    const { answer, longestMs } = await whileOthersAsk(() => publish({ [part]: bomb }));
    expect(answer.status).toBe(400);
    const { error } = errorSchema.parse(answer.body);
    expect(error.code).toBe("invalid_outcome_type");
    expect(longestMs).toBeLessThan(WAIT_MS_MAX);
    expect(api.exit()).toBeNull();
  });

  test("whose patterns would be exponential elsewhere is taken, and costs nothing", async () => {
    const evil = { type: "object", properties: { a: { type: "string", pattern: "^(a|a)*$" } } };
    expect((await publish({ input_schema: evil, prompt: { system: "S", user: "{{input.a}}" } })).status).toBe(201);
    const startMs = performance.now();
    const sent = await tenant.client.send({
      method: "POST",
      path: "/v1/jobs",
      body: { outcome_type: "bomb", input: { a: `${"a".repeat(100_000)}b` } },
    });
    expect(sent.status).toBe(400);
    expect(performance.now() - startMs).toBeLessThan(WAIT_MS_MAX);
  });
});

describe("a body", () => {
  const post = (body: string, headers = {}) => tenant.client.send({ method: "POST", path: "/v1/jobs", body, headers });
  const job = JSON.stringify(JOB);

  test.each([
    [
      "that nests 100,000 deep",
      `{"outcome_type":"${TYPE}","input":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
      400,
      "json_too_deep",
    ],
    ["that nests and never ends", "[".repeat(200_000), 400, "malformed_json"],
    ["with a key twice", job.replace("{", '{"outcome_type":"other",'), 400, "duplicate_field"],
    ["with a key twice, once in escapes", job.replace("{", '{"outcome_typ\\u0065":"other",'), 400, "duplicate_field"],
    ["with a prototype", job.replace("{", '{"__proto__":{"isAdmin":true},'), 400, "unknown_field"],
    ["that is too large", `{"outcome_type":"${"x".repeat(300_000)}"}`, 413, "body_too_large"],
    ["of a number that is none", job.replace('"Invoice 1"', "1e999"), 400, "unusable_text"],
  ] as const)("%s is refused: %#", async (_, body, status, code) => {
    const answer = await post(body);
    expect({ status: answer.status, code: errorSchema.parse(answer.body).error.code }).toEqual({ status, code });
    expect(api.exit()).toBeNull();
  });

  test("is not unpacked: one that is announced as packed is refused", async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    for (const encoding of ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"]) {
      const { status } = await fetch(`${api.url}/v1/jobs`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${tenant.client.key}`,
          "content-type": "application/json",
          "content-encoding": encoding,
        },
        body: packed,
      });
      expect(status, encoding).toBe(415);
    }
  });

  test("that never ends holds up nobody else, and is given up", async () => {
    const { port } = new URL(api.url);
    const slow = net.connect(Number(port), "127.0.0.1");
    await new Promise((resolve) => slow.once("connect", resolve));
    slow.write(
      `POST /v1/jobs HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${tenant.client.key}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
    );
    expect((await post(job)).status).toBe(202);
    slow.destroy();
  });
});

test("headers by the kilobyte are refused before anything is done with them", async () => {
  const status = await new Promise<number>((resolve, reject) => {
    const sent = httpRequest(`${api.url}/v1/jobs`, { headers: { "x-bomb": "a".repeat(20_000) } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end();
  });
  expect(status).toBe(431);
});
