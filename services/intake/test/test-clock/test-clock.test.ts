import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { madeCustomer, usd } from "../customers/made.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const HOUR_MS = 3_600_000;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

describe("a customer's clock", () => {
  test("moves forward by so much, and everything of theirs with it", async () => {
    const { id, post, client, read } = await madeCustomer(api);
    expect((await post("test-clock", { advance_ms: HOUR_MS })).body).toMatchObject({ offset_ms: HOUR_MS });
    expect((await post("test-clock", { advance_ms: HOUR_MS })).body).toMatchObject({ offset_ms: 2 * HOUR_MS });
    const { created_at: createdAt, deadline_at: deadlineAt } = await client.submit(JOB);
    expect(Date.parse(createdAt) - Date.now()).toBeGreaterThan(1.9 * HOUR_MS);
    expect(Date.parse(deadlineAt) - Date.parse(createdAt)).toBe(120_000);
    const { clock } = await read();
    expect(clock.offset_ms).toBe(2 * HOUR_MS);
    expect(Date.parse(clock.now)).toBeGreaterThanOrEqual(Date.parse(createdAt));
    expect((await api.operator.send({ path: `/v1/customers/${api.customerId}` })).body).toMatchObject({
      clock: { offset_ms: 0 },
    });
    expect(id).not.toBe(api.customerId);
  });

  test("moves to a time, and stays there when that is repeated a little later", async () => {
    const { post, read } = await madeCustomer(api);
    const now = inMs(30 * 24 * HOUR_MS);
    expect((await post("test-clock", { now })).body).toMatchObject({ now });
    expectError(await post("test-clock", { now }), "invalid_field", "/now");
    expect(Date.parse((await read()).clock.now)).toBeGreaterThanOrEqual(Date.parse(now));
  });

  test("carries a limit into its next period, and an end of prepaid money with it", async () => {
    const limited = await madeCustomer(api, { limit: { amount: "0.04", period: "day" } });
    await limited.client.submit(JOB);
    await limited.post("test-clock", { advance_ms: 24 * HOUR_MS });
    // The hold is still open, so the new day has no room for another one.
    expectError(await limited.client.send({ method: "POST", path: "/v1/jobs", body: JOB }), "spending_limit_reached");
    const prepaid = await madeCustomer(api, { billing: "prepaid" });
    await prepaid.post("top-ups", { ref: "soon", amount: "1", expires_at: inMs(HOUR_MS) });
    expect((await prepaid.read()).prepaid).toMatchObject({ available: usd("1.00") });
    await prepaid.post("test-clock", { advance_ms: HOUR_MS });
    expect((await prepaid.read()).prepaid).toEqual({ available: usd("0.00"), grants: [] });
  });
});

describe("no clock moves", () => {
  test.each([
    ["back", { advance_ms: -1 }],
    ["by nothing", { advance_ms: 0 }],
    ["by a text", { advance_ms: "1000" }],
    ["to what is no time", { now: "tomorrow" }],
    ["to the past", { now: "2020-01-01T00:00:00Z" }],
    ["by so much and to a time", { advance_ms: 1, now: "2099-01-01T00:00:00Z" }],
    ["further than ten years", { now: "2099-01-01T00:00:00Z" }],
    ["without being told how", {}],
  ])("%s", async (_, body) => {
    const { post, read } = await madeCustomer(api);
    const { status } = await post("test-clock", body);
    expect(status).toBe(400);
    expect((await read()).clock.offset_ms).toBe(0);
  });

  test("of a customer that there is not", async () => {
    const path = "/v1/customers/cus_nobody/test-clock";
    const answer = await api.operator.send({ method: "POST", path, body: { advance_ms: 1 } });
    expectError(answer, "customer_not_found", "id");
  });

  test("where real customers are served", async () => {
    await using production = await api.anotherProcess({ movesClocks: false });
    const path = `/v1/customers/${api.customerId}/test-clock`;
    const answer = await api.operator.at(production.url).send({ method: "POST", path, body: { advance_ms: 1 } });
    expectError(answer, "test_clock_disabled");
    expect((await api.operator.send({ path: `/v1/customers/${api.customerId}` })).body).toMatchObject({
      clock: { offset_ms: 0 },
    });
  });
});
