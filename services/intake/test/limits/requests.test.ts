/** Hazard: one client who takes all there is, and one who tries keys until one fits. */
import { createKey } from "@contingent/db/keys";
import { apiClient } from "@contingent/embedded/api-client";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckedClient, checkedClient, expectError } from "../checked-client.ts";
import { type Api, NO_LIMITS, type Process, startApi } from "../harness.ts";

const MANY = { keyPerS: 1_000, customerPerS: 1_000, addressPerS: 1_000, failuresPerMin: 1_000 };
/** In a window of ten seconds. */
const perWindow = (requests: number): number => requests / 10;

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A process with these limits, and no others that matter. */
async function limited(rates: Partial<typeof MANY>, trustProxy: number | false = false): Promise<Process> {
  return await api.anotherProcess({ limits: { ...NO_LIMITS, requests: { ...MANY, ...rates }, trustProxy } });
}

async function statuses(client: CheckedClient, requests: number, headers = {}): Promise<readonly number[]> {
  const all: number[] = [];
  for (let n = 0; n < requests; n += 1) all.push((await client.send({ path: "/v1/balance", headers })).status);
  return all;
}

async function anotherKey(): Promise<string> {
  const { text } = await createKey(api.pool, { kind: "customer", customerId: api.customerId, label: "another" });
  return text;
}

const wrongKey = (url: string): CheckedClient => checkedClient(apiClient(url, `${api.customer.key.slice(0, -1)}!`));

describe("requests are counted", () => {
  test("by key, and each answer says how many are left; another key goes on", async () => {
    await using process = await limited({ keyPerS: perWindow(20) });
    const client = api.customer.at(process.url);
    const first = await client.send({ path: "/v1/balance" });
    expect(first.headers.get("ratelimit-limit")).toBe("20");
    expect(first.headers.get("ratelimit-remaining")).toBe("19");
    expect(Number(first.headers.get("ratelimit-reset"))).toBeGreaterThan(0);
    await statuses(client, 19);
    const refused = await client.send({ path: "/v1/balance" });
    expectError(refused, "too_many_requests", null);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    expect(await statuses(api.otherCustomer.at(process.url), 1)).toEqual([200]);
  });

  test("by customer, whatever keys they take", async () => {
    await using process = await limited({ customerPerS: perWindow(10) });
    const [one, other] = [api.customer.at(process.url), api.customer.as(await anotherKey()).at(process.url)];
    expect(new Set([...(await statuses(one, 5)), ...(await statuses(other, 5))])).toEqual(new Set([200]));
    expect([...(await statuses(one, 1)), ...(await statuses(other, 1))]).toEqual([429, 429]);
    expect(await statuses(api.otherCustomer.at(process.url), 1)).toEqual([200]);
  });

  test("lines of a bulk request by customer, too: they are all answered, but no faster", async () => {
    await using process = await limited({ customerPerS: 1 });
    const [path, headers] = ["/v1/jobs/bulk", { "content-type": "application/x-ndjson" }];
    const startMs = performance.now();
    const { body } = await api.customer.at(process.url).send({ method: "POST", path, headers, body: "{}\n{}\n" });
    expect(String(body).trim().split("\n")).toHaveLength(2);
    // The second line has waited for the end of the first one's second.
    expect(performance.now() - startMs).toBeGreaterThan(900);
  });

  test("by address, keys or not, but for whoever asks how the process is", async () => {
    await using process = await limited({ addressPerS: perWindow(10) });
    const nobody = checkedClient(apiClient(process.url, ""));
    for (let n = 0; n < 10; n += 1) await nobody.send({ path: "/v1/receipt-keys" });
    expectError(await nobody.send({ path: "/v1/nothing" }), "too_many_requests", null);
    expect(await statuses(api.customer.at(process.url), 1)).toEqual([429]);
    expect((await fetch(`${process.url}/healthz`)).status).toBe(200);
  });
});

describe("an address that sends wrong keys", () => {
  test("is not listened to any more, but for keys that were right before", async () => {
    await using process = await limited({ failuresPerMin: 5 });
    const good = api.customer.at(process.url);
    expect(await statuses(good, 1)).toEqual([200]);
    expect(await statuses(wrongKey(process.url), 6)).toEqual([401, 401, 401, 401, 401, 429]);
    const refused = await wrongKey(process.url).send({ path: "/v1/balance" });
    expectError(refused, "too_many_failures", null);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    // Whoever tries keys cannot tell a right one from a wrong one any more.
    expect(await statuses(api.otherCustomer.at(process.url), 1)).toEqual([429]);
    expect(await statuses(good, 1)).toEqual([200]);
  });

  test("or wrong signatures: its replies are not read", async () => {
    await using process = await limited({ failuresPerMin: 3 });
    const nobody = checkedClient(apiClient(process.url, ""));
    const reply = { method: "POST", path: "/v1/inquiries/inq_0000/reply", body: { score: 1 } };
    for (let n = 0; n < 3; n += 1) expectError(await nobody.send(reply), "invalid_signature");
    expectError(await nobody.send(reply), "too_many_failures", null);
  });

  test("is the client's where the proxies in front are known, and else the last one's", async () => {
    await using behind = await limited({ failuresPerMin: 2 }, 1);
    const from = (address: string) => ({ "x-forwarded-for": address });
    expect(await statuses(wrongKey(behind.url), 3, from("192.0.2.1"))).toEqual([401, 401, 429]);
    expect(await statuses(wrongKey(behind.url), 1, from("192.0.2.2"))).toEqual([401]);
    // What the client itself has put before the proxy's word counts for nothing.
    expect(await statuses(wrongKey(behind.url), 1, from("192.0.2.99, 192.0.2.1"))).toEqual([429]);

    await using open = await limited({ failuresPerMin: 2 });
    expect(await statuses(wrongKey(open.url), 2, from("192.0.2.1"))).toEqual([401, 401]);
    expect(await statuses(wrongKey(open.url), 1, from("192.0.2.2"))).toEqual([429]);
    await until(() => api.log.some((line) => line.includes("TRUST_PROXY does not name")), { timeoutMs: 5_000 });
  });
});
