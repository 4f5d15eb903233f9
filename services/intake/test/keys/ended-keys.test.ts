/** Hazards: a key that works on after its end, that comes back, or whose end locks everybody out. */
import http from "node:http";
import { createKey } from "@contingent/db/keys";
import { openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckedClient, expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";
import { watch } from "../sse.ts";
import { askFor, madeKey, type NewKeyBody, revoke, rotate, works } from "./made.ts";

const PROMISED_MS = 5_000;

let api: Api;
let elsewhere: string;
beforeAll(async () => {
  api = await startApiWithType();
  ({ url: elsewhere } = await api.anotherProcess());
});
afterAll(() => api[Symbol.asyncDispose]());

describe.concurrent("in time", () => {
  test("a revoked key is refused at once by the process that revoked it, and within five seconds by the others", async () => {
    const { id, client } = await madeKey(api.customer);
    expect(await works(client.at(elsewhere))).toBe(true);
    expect((await revoke(api.customer, id)).body).toMatchObject({ id, state: "revoked" });
    expect(await works(client)).toBe(false);
    await until(async () => !(await works(client.at(elsewhere))), { timeoutMs: PROMISED_MS, what: "the key to end" });
  });

  test("nobody watches, waits and uploads with a revoked key for longer than five seconds", async () => {
    const job = await api.customer.submit(JOB);
    const { id, client } = await madeKey(api.customer);
    const there = client.at(elsewhere);
    const stream = await watch(there, job.id);
    expect((await stream.events.next()).value).toMatchObject({ event: "job.accepted" });
    const waiting = there.send({ path: `/v1/jobs/${job.id}?wait=60` });
    const upload = openUpload(there);
    const begunAtMs = performance.now();
    await revoke(api.customer, id);
    expect(await stream.all()).toEqual([]);
    expect((await waiting).body).toMatchObject({ state: "queued" });
    expect(await upload).toBe("");
    expect(performance.now() - begunAtMs).toBeLessThan(PROMISED_MS);
  });

  test("a key that is replaced works on beside the new one until the overlap is over", async () => {
    const old = await madeKey(api.customer, { label: "exchanged", scopes: ["jobs:read"] });
    const made = (await rotate(api.customer, old.id, { overlap_s: 1 })).body as NewKeyBody;
    expect(made).toMatchObject({ label: "exchanged", scopes: ["jobs:read"], replaces: old.id, expires_at: null });
    expect([await works(old.client), await works(api.customer.as(made.key))]).toEqual([true, true]);
    await until(async () => !(await works(old.client)), { timeoutMs: 6_000, what: "the overlap to be over" });
    expect(await works(api.customer.as(made.key))).toBe(true);
  });
});

describe("a revoked key", () => {
  test("makes no other key and ends none, not even where it is still taken for good", async () => {
    const { id, client } = await madeKey(api.customer);
    const { id: other } = await madeKey(api.customer);
    const there = client.at(elsewhere);
    expect(await works(there)).toBe(true);
    await revoke(api.customer, id);
    for (const answer of [await askFor(there, {}), await rotate(there, other), await revoke(there, other)]) {
      expectError(answer, "invalid_api_key");
    }
    expect(await api.customer.call({ path: `/v1/keys/${other}` })).toMatchObject({ state: "active" });
  });

  test("stays revoked: said twice it is the same as once", async () => {
    const { id } = await madeKey(api.customer);
    const { body } = await revoke(api.customer, id);
    expect((await revoke(api.customer, id)).body).toEqual(body);
    expectError(await rotate(api.customer, id), "key_ended", "id");
  });
});

/** A bulk request of which no line has come yet. */
function openUpload(client: CheckedClient): Promise<string> {
  const headers = { authorization: `Bearer ${client.key}`, "content-type": "application/x-ndjson" };
  const request = http.request(`${client.url}/v1/jobs/bulk`, { method: "POST", headers });
  request.flushHeaders();
  return new Promise((resolve, reject) => {
    request.once("error", reject).once("response", (response) => {
      // The server hangs up after its answer, for the upload is not at its end.
      response.setEncoding("utf8").once("error", () => resolve(lines.join("")));
      const lines: string[] = [];
      response.on("data", (line: string) => lines.push(line)).once("end", () => resolve(lines.join("")));
    });
  });
}

describe("a key that is replaced", () => {
  test("is replaced once: the new one is named until it is revoked, because it was lost", async () => {
    const old = await madeKey(api.customer);
    const { id } = (await rotate(api.customer, old.id)).body as NewKeyBody;
    const { message } = expectError(await rotate(api.customer, old.id), "key_replaced", "id");
    expect(message).toContain(id);
    expect(await api.customer.call({ path: `/v1/keys/${old.id}` })).toMatchObject({ replaced_by: id });
    await revoke(api.customer, id);
    expect((await rotate(api.customer, old.id, { overlap_s: 0 })).status).toBe(201);
    expect(await works(old.client)).toBe(false);
  });

  test("twenty times at once is replaced once", async () => {
    const { id } = await madeKey(api.customer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => rotate(api.customer, id)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 201) expectError(answer, "key_replaced");
  });

  test("may replace itself, and lives no longer by it", async () => {
    const end = new Date(Date.now() + 3_600_000).toISOString();
    const { id, client } = await madeKey(api.customer, { expires_at: end });
    expectError(await rotate(client, id, { expires_at: null }), "invalid_field", "/expires_at");
    expect((await rotate(client, id)).body).toMatchObject({ expires_at: end });
  });
});

describe("the last operator's key that may do everything", () => {
  test("is neither revoked nor replaced by one that ends soon; with another one beside it it is", async () => {
    const last = `key_${api.operator.key.split("_")[2]}`;
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    await madeKey(api.operator, { scopes: ["keys:write", "jobs:read"] });
    await madeKey(api.operator, { expires_at: soon });
    const { message } = expectError(await revoke(api.operator, last), "last_operator_key", "id");
    expect(message).toContain("First make another one");
    expectError(await rotate(api.operator, last, { overlap_s: 0, expires_at: soon }), "last_operator_key", "id");
    expect(await works(api.operator)).toBe(true);
    // Two that are left revoke each other: one of them stays.
    const { text } = await createKey(api.pool, { kind: "operator", label: "one" });
    const one = api.operator.as(text);
    const answers = await Promise.all([revoke(api.operator, `key_${text.split("_")[2]}`), revoke(one, last)]);
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    expect([await works(api.operator), await works(one)].filter(Boolean)).toHaveLength(1);
  });
});

test("services cannot bring a key back, nor let it do more", async () => {
  await using pool = asService();
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const { id } = await madeKey(api.customer, { expires_at, scopes: ["jobs:read"] });
  await revoke(api.customer, id);
  for (const change of [
    "revoked_at = NULL",
    "revoked_at = now()",
    "expires_at = NULL",
    "expires_at = now() + interval '1 year'",
    "scopes = '{*}'",
    "secret_hash = sha256('x')",
    "scope = 'operator', customer_id = NULL",
  ]) {
    const changed = pool.own.query({ text: `UPDATE api_key SET ${change} WHERE id = $1`, values: [id] });
    await expect(changed, change).rejects.toThrow(/permission denied|can only end/);
    // Whoever owns the table is held back by the table itself.
    const byOwner = api.pool.query({ text: `UPDATE api_key SET ${change} WHERE id = $1`, values: [id] });
    await expect(byOwner, change).rejects.toThrow(/can only end/);
  }
  await expect(pool.own.query({ text: "DELETE FROM api_key WHERE id = $1", values: [id] })).rejects.toThrow(/denied/);
});

function asService(): AsyncDisposable & { readonly own: ReturnType<typeof openPool> } {
  const own = openPool(api.databaseUrl, { applicationName: "keys-test", role: SERVICE_ROLE, connectionsMax: 1 });
  return { own, [Symbol.asyncDispose]: () => own.end() };
}
