/** Hazard: money that rests on a service that nobody has heard, or that somebody else pretends to be. The service is real. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "@contingent/core/json";
import { isSigned, signatureHeaders, signingSecret } from "@contingent/runtime/outgoing/standard-webhooks";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answer, publish, settle, submit } from "./support/cases.ts";
import { expectCharged, expectCostAsBilled } from "./support/expectations.ts";
import { RIGHT, step, type TypeChanges, WRONG } from "./support/sums.ts";
import { describeOn, useSystem } from "./support/use-system.ts";

const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const folder = mkdtempSync(join(tmpdir(), "contingent-services-"));
const secretsFile = join(folder, "secrets.json");
writeFileSync(secretsFile, JSON.stringify({ checks: SECRET }));

interface Inquiry {
  readonly inquiry_id: string;
  readonly job_id: string;
  readonly output: typeof RIGHT;
}

const ours = signingSecret(SECRET);
const secrets = ours === null ? [] : [ours];

/** What the service was asked, and about which path. Requests that are not signed are answered 401 and kept nowhere. */
const asked: (Inquiry & { readonly path: string })[] = [];

/** Requests that are not answered until the test says so. */
const unanswered: ServerResponse[] = [];

/** A service of an operator's: it adds the numbers up itself. */
const service: Server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const headers = request.headers as Record<string, string>;
    if (!isSigned(secrets, headers, body, Date.now() / 1_000)) return response.writeHead(401).end();
    const inquiry = JSON.parse(body.toString("utf8")) as Inquiry;
    asked.push({ ...inquiry, path: request.url ?? "" });
    if (headers["webhook-id"] !== inquiry.inquiry_id) return response.writeHead(400).end();
    if (request.url === "/later") return response.writeHead(202).end();
    if (request.url === "/never") return unanswered.push(response);
    if (request.url === "/down") return response.writeHead(503).end('{"decision":"pass"}');
    return response.end(JSON.stringify(verdictOn(inquiry)));
  });
});

function verdictOn({ output: { a, b, net } }: Inquiry): Json {
  if (a + b === net) return { decision: "pass" };
  return { decision: "fail", findings: [{ path: "/net", code: "wrong_net", message: `The net is ${a + b}.` }] };
}

function checkedAt(path: string, options: { readonly [name: string]: Json } = {}): TypeChanges {
  const { port } = service.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;
  const check = { use: "http", options: { url, secret: "checks", ...options } };
  return {
    cascade: [step("fast", { attempts_max: 2 })],
    validator: { all: [{ use: "json_schema", options: {} }, check] },
  };
}

beforeAll(() => once(service.listen(0, "127.0.0.1"), "listening"));
afterAll(() => {
  service.close();
  rmSync(folder, { recursive: true });
});

describeOn("postgres", "services that judge", () => {
  const system = useSystem(() => ({
    transport: "postgres",
    workers: { standard: 0, premium: 0 },
    // One message at a time: whoever waits inside of a handler is seen to hold up everybody else.
    env: { HTTP_VALIDATOR_SECRETS_FILE: secretsFile, OUTGOING_ALLOW_LOOPBACK: "true", CONCURRENCY: "1" },
  }));

  test.concurrent("an answer is billed on the service's word, and one that it finds wrong is tried again", async () => {
    const { it, job } = await settle(system(), { terms: checkedAt("/now"), steps: [answer(WRONG)] });
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
    expect(asked.filter(({ job_id: id }) => id === it.id).map(({ output }) => output)).toEqual([WRONG, RIGHT]);
    const { rows } = await system().pool.query<{ outcome: string; score: number; findings: Json }>(
      "SELECT outcome, score, findings FROM inquiry WHERE job_id = $1 ORDER BY opened_at",
      [it.id],
    );
    expect(rows).toEqual([
      { outcome: "replied", score: 0, findings: [{ path: "/net", code: "wrong_net", message: "The net is 5." }] },
      { outcome: "replied", score: 1, findings: [] },
    ]);
  });

  test.concurrent("a reply that comes later settles the job; until then nothing is billed", async () => {
    const later = { mode: "callback", reply_within_ms: 30_000 };
    const it = await submit(system(), { terms: checkedAt("/later", later) });
    const inquiry = await until(() => asked.find(({ job_id: id }) => id === it.id), {
      timeoutMs: 20_000,
      intervalMs: 20,
      what: `the service to be asked about ${it.id}`,
    });
    expect(await it.now()).toMatchObject({ state: "validating", billable: false });
    const id = inquiry.inquiry_id;
    // Nobody waits for it, so that no process's death is taken for the loss of the reply.
    const held = { text: "SELECT FROM inquiry WHERE id = $1 AND holder IS NOT NULL", values: [id] };
    await until(async () => (await system().pool.query(held)).rowCount === 0, { timeoutMs: 20_000, intervalMs: 20 });
    const body = JSON.stringify(verdictOn(inquiry));
    const headers = { ...signatureHeaders(secrets, { id, timestampS: Math.floor(Date.now() / 1_000), body }) };
    const reply = { method: "POST", path: `/v1/inquiries/${id}/reply`, body, headers };
    expect((await system().api.as("").send(reply)).status).toBe(200);
    await expectCharged(system(), it, await it.closed());
  });

  test.concurrent("a service that does not answer holds up nobody else's verdict", async () => {
    const terms = checkedAt("/never", { timeout_ms: 50_000 });
    const stuck = await Promise.all([submit(system(), { terms }), submit(system(), { terms })]);
    await until(() => unanswered.length >= stuck.length, {
      timeoutMs: 20_000,
      intervalMs: 20,
      what: "both jobs to wait for the service",
    });
    const { it, job } = await settle(system());
    await expectCharged(system(), it, job);
    for (const waiting of stuck) {
      expect(await waiting.now()).toMatchObject({ state: "validating", billable: false });
      expect((await waiting.cancel()).status).toBe(200);
    }
    for (const response of unanswered) response.writeHead(503).end();
  });

  test.concurrent("a service that is down bills nothing, whatever its error page says", async () => {
    const it = await submit(system(), { terms: checkedAt("/down") });
    await until(() => asked.filter(({ job_id: id }) => id === it.id).length >= 2, {
      timeoutMs: 20_000,
      intervalMs: 20,
      what: `the service to be asked again about ${it.id}`,
    });
    expect(await it.now()).toMatchObject({ state: "validating", billable: false, attempts: 1 });
    expect((await it.cancel()).status).toBe(200);
  });

  test.concurrent("an inside address is refused when the type is published", async () => {
    const inside = checkedAt("/now", { url: "http://169.254.169.254/latest/meta-data/" });
    await expect(publish(system(), inside)).rejects.toThrow("/validator/all/1/options/url");
    await expect(publish(system(), checkedAt("/now", { secret: "none" }))).rejects.toThrow('no secret "none"');
  });
});
