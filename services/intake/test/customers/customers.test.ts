import { customerSchema } from "@contingent/contracts/http/customers";
import { take } from "@contingent/testkit/jobs";
import { isId } from "@contingent/core/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType, SUCCEED } from "../harness.ts";
import { madeCustomer, usd } from "./made.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const create = (body: unknown) => api.operator.send({ method: "POST", path: "/v1/customers", body });

async function countCustomers(): Promise<bigint | undefined> {
  return (await api.pool.query<{ n: bigint }>("SELECT count(*) AS n FROM customer")).rows[0]?.n;
}

describe("a customer", () => {
  test("is on account, without limit and at list prices, unless the operator says otherwise", async () => {
    const answer = await create({ name: "Acme Ltd" });
    expect(answer.status).toBe(201);
    const body = customerSchema.parse(answer.body);
    expect(answer.headers.get("location")).toBe(`/v1/customers/${body.id}`);
    expect(body).toMatchObject({
      name: "Acme Ltd",
      billing: "on_account",
      limit: null,
      headroom: null,
      prepaid: null,
      terms: null,
      held: usd("0.00"),
      spent: usd("0.00"),
      open_jobs: 0,
      limits: { open_jobs_max: null },
      alerts: { limit_shares: [0.8, 1], prepaid_below: null },
      clock: { offset_ms: 0 },
    });
  });

  test("of a chosen id is made once, whoever repeats the request", async () => {
    const body = { id: "cus_acme0001", name: "Acme", billing: "prepaid", alerts: { prepaid_below: "5" } };
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    const { id } = customerSchema.parse(answers[0]?.body);
    expect(id).toBe("cus_acme0001");
  });

  test.each([
    ["name", { name: "Other" }],
    ["billing", { billing: "on_account" }],
    ["limit", { limit: { amount: "2", period: "day" } }],
    ["alerts", { alerts: { limit_shares: [0.5] } }],
    ["limits", { limits: { open_jobs_max: 5 } }],
  ])("of a chosen id is not another one with another %s", async (_, changes) => {
    const body = { id: "cus_once", name: "Once", billing: "prepaid", limit: { amount: "1", period: "day" } };
    await create(body);
    expectError(await create({ ...body, ...changes }), "customer_exists", "/id");
  });

  test("is listed once, page by page", async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => madeCustomer(api)));
    const seen: string[] = [];
    let next = "";
    do {
      const path = `/v1/customers?limit=3${next}`;
      const page = (await api.operator.call({ path })) as { data: { id: string }[]; next_cursor: string | null };
      seen.push(...page.data.map(({ id }) => id));
      next = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
    } while (next !== "");
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect(BigInt(seen.length)).toBe(await countCustomers());
  });

  test("sees itself and nobody else; its key works at once", async () => {
    const { id, client } = await madeCustomer(api, { billing: "prepaid" });
    const own = await client.send({ path: `/v1/customers/${id}` });
    expect(own.status).toBe(200);
    expectError(await client.send({ path: `/v1/customers/${api.customerId}` }), "customer_not_found", "id");
    expectError(await client.send({ path: `/v1/customers/${api.customerId}/grants` }), "customer_not_found", "id");
    expectError(await client.send({ path: "/v1/customers/cus_nobody" }), "customer_not_found", "id");
    const balance = await client.send({ path: "/v1/balance" });
    expect(balance.body).toMatchObject({ object: "balance", customer_id: id, prepaid: { grants: [] } });
  });
});

describe("nothing is made", () => {
  test.each([
    ["an id of another kind", { id: "job_0001" }, "/id"],
    ["an id too long for what is made of it", { id: `cus_${"a".repeat(33)}` }, "/id"],
    ["an empty name", { name: "" }, "/name"],
    ["a name that is no text", { name: 7 }, "/name"],
    ["a name that could not be stored", { name: "a\u0000" }, "/name"],
    ["an unknown way of billing", { billing: "barter" }, "/billing"],
    ["a limit that is a number", { limit: { amount: 5, period: "day" } }, "/limit/amount"],
    ["a negative limit", { limit: { amount: "-5", period: "day" } }, "/limit/amount"],
    ["a limit without a period", { limit: { amount: "5" } }, "/limit/period"],
    ["a limit per week", { limit: { amount: "5", period: "week" } }, "/limit/period"],
    ["fewer open jobs than none", { limits: { open_jobs_max: -1 } }, "/limits/open_jobs_max"],
    ["a share above the limit", { alerts: { limit_shares: [1.1] } }, "/alerts/limit_shares/0"],
    ["a share of nothing", { alerts: { limit_shares: [0] } }, "/alerts/limit_shares/0"],
    ["a share twice", { alerts: { limit_shares: [0.5, 0.5] } }, "/alerts/limit_shares"],
    ["a negative balance to tell of", { alerts: { prepaid_below: "-1" } }, "/alerts/prepaid_below"],
    ["a field that there is not", { currency: "EUR" }, "/currency"],
  ])("of %s", async (_, changes, param) => {
    const before = await countCustomers();
    const answer = await create({ name: "Acme", ...changes });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { param } });
    expect(await countCustomers()).toBe(before);
  });
});

describe("how a customer pays", () => {
  const ON_ACCOUNT = { billing: "on_account", limit: null };

  test("may change until the first job", async () => {
    const { put, client, read } = await madeCustomer(api);
    expect((await put("billing", { billing: "prepaid", limit: null })).status).toBe(200);
    expect((await put("billing", ON_ACCOUNT)).status).toBe(200);
    await client.submit(JOB);
    expectError(await put("billing", { billing: "prepaid", limit: null }), "billing_in_use", "/billing");
    expect(await read()).toMatchObject({ billing: "on_account" });
    expect((await put("billing", ON_ACCOUNT)).status).toBe(200);
  });

  test("may change until the first money", async () => {
    const { put, post } = await madeCustomer(api, { billing: "prepaid" });
    await post("top-ups", { ref: "one", amount: "1" });
    expectError(await put("billing", ON_ACCOUNT), "billing_in_use", "/billing");
  });

  test("is told with 404 of a customer that there is not, and with 400 of what is missing", async () => {
    const path = "/v1/customers/cus_nobody/billing";
    expectError(await api.operator.send({ method: "PUT", path, body: ON_ACCOUNT }), "customer_not_found", "id");
    const { put } = await madeCustomer(api);
    expectError(await put("billing", { billing: "prepaid" }), "missing_field", "/limit");
  });

  test("a limit refuses the job that does not fit, with the numbers, and lets the next one in when it is raised", async () => {
    const { put, client, read } = await madeCustomer(api, { limit: { amount: "0.09", period: "day" } });
    const [first] = [await client.submit(JOB), await client.submit(JOB)];
    if (!isId("job", first.id)) throw new Error(first.id);
    await take(api.pool, first.id, ...SUCCEED);
    expect(await read()).toMatchObject({ held: usd("0.04"), spent: usd("0.04"), headroom: usd("0.01") });
    const refused = await client.send({ method: "POST", path: "/v1/jobs", body: JOB });
    const { message } = expectError(refused, "spending_limit_reached");
    for (const number of ["0.04", "0.09", "0.08"]) expect(message).toContain(number);
    await put("billing", { billing: "on_account", limit: { amount: "0.12", period: "day" } });
    await client.submit(JOB);
    expect(await read()).toMatchObject({ headroom: usd("0.00") });
  });

  test("a limit below what is in use breaks no accepted job and refuses all new ones", async () => {
    const { put, client, read } = await madeCustomer(api);
    const jobs = [await client.submit(JOB), await client.submit(JOB)];
    const lowered = await put("billing", { billing: "on_account", limit: { amount: "0.01", period: "month" } });
    expect(lowered.body).toMatchObject({ headroom: usd("0.00"), held: usd("0.08") });
    for (const { id } of jobs) if (isId("job", id)) await take(api.pool, id, ...SUCCEED);
    expect(await read()).toMatchObject({ held: usd("0.00"), spent: usd("0.08") });
    expectError(await client.send({ method: "POST", path: "/v1/jobs", body: JOB }), "spending_limit_reached");
  });

  test("another period counts what was charged within it", async () => {
    const { id, put, post, client, read } = await madeCustomer(api);
    const monthEnd = new Date();
    monthEnd.setUTCMonth(monthEnd.getUTCMonth() + 2, 1);
    monthEnd.setUTCHours(0, 0, 0, 0);
    // The first day of a month, and the day after it.
    for (const now of [monthEnd.getTime(), monthEnd.getTime() + 86_400_000]) {
      await post("test-clock", { now: new Date(now).toISOString() });
      const job = await client.submit(JOB);
      if (isId("job", job.id)) await take(api.pool, job.id, ...SUCCEED);
    }
    expect(await read()).toMatchObject({ id, spent: usd("0.08") });
    await put("billing", { billing: "on_account", limit: { amount: "1", period: "day" } });
    expect(await read()).toMatchObject({ spent: usd("0.04"), headroom: usd("0.96") });
    await put("billing", { billing: "on_account", limit: { amount: "1", period: "month" } });
    expect(await read()).toMatchObject({ spent: usd("0.08"), headroom: usd("0.92") });
  });
});

test("a key is shown once and is good for its customer only", async () => {
  const { post, client } = await madeCustomer(api);
  expectError(await post("keys", { label: "" }), "invalid_field", "/label");
  expectError(await post("keys", {}), "missing_field", "/label");
  expectError(await post("keys", { label: "x", mode: "dead" }), "invalid_field", "/mode");
  expectError(
    await api.operator.send({ method: "POST", path: "/v1/customers/cus_nobody/keys", body: { label: "x" } }),
    "customer_not_found",
  );
  const { id } = await client.submit(JOB);
  expect((await api.otherCustomer.send({ path: `/v1/jobs/${id}` })).status).toBe(404);
});
