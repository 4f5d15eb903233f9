import { balanceSchema } from "@contingent/contracts/http/customers";
import { grantSchema } from "@contingent/contracts/http/grants";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { madeCustomer, usd } from "../customers/made.ts";
import { type Api, JOB, startApiWithType, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const PREPAID = { billing: "prepaid" };

async function countGrants(): Promise<unknown> {
  const text =
    "SELECT (SELECT count(*) FROM credit_grant) AS grants, (SELECT count(*) FROM ledger_transaction) AS booked";
  return (await api.pool.query<{ grants: bigint; booked: bigint }>(text)).rows[0];
}

describe("money comes in", () => {
  test("by a top-up, and jobs are paid from it; a promotion is spent before it", async () => {
    const { id, post, client } = await madeCustomer(api, PREPAID);
    const paid = await post("top-ups", { ref: "bank-1", amount: "0.10" });
    expect(paid.status).toBe(201);
    expect(paid.body).toMatchObject({ kind: "top_up", amount: usd("0.10"), available: usd("0.10"), priority: 100 });
    const given = await post("grants", { ref: "welcome", amount: "0.03", outcome_types: [TYPE] });
    expect(given.body).toMatchObject({ kind: "promotion", priority: 50, outcome_types: [TYPE] });
    await client.submit(JOB);
    const { body } = await client.send({ path: "/v1/balance" });
    expect(balanceSchema.parse(body)).toMatchObject({
      customer_id: id,
      held: usd("0.04"),
      prepaid: { available: usd("0.09"), grants: [{ id: grantSchema.parse(paid.body).id, available: usd("0.09") }] },
    });
  });

  test("once for each ref: the second time the answer is the first grant", async () => {
    const { post, read } = await madeCustomer(api, PREPAID);
    const body = { ref: "bank-1", amount: "5.00", expires_at: "2099-01-01T00:00:00+01:00", outcome_types: [TYPE] };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post("top-ups", body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(new Set(answers.map(({ body: grant }) => grantSchema.parse(grant).id)).size).toBe(1);
    // The same instant, written otherwise.
    expect((await post("top-ups", { ...body, expires_at: "2098-12-31T23:00:00Z" })).status).toBe(200);
    expect((await read()).prepaid).toMatchObject({ available: usd("5.00") });
    expect((await post("grants", body)).status).toBe(201);
  });

  test("and lets the job in that was refused before, with the numbers", async () => {
    const { post, client } = await madeCustomer(api, PREPAID);
    await post("top-ups", { ref: "little", amount: "0.015" });
    const refused = await client.send({ method: "POST", path: "/v1/jobs", body: JOB });
    const { message } = expectError(refused, "insufficient_funds");
    for (const number of ["0.04", "0.015", "0.025"]) expect(message).toContain(number);
    await post("top-ups", { ref: "rest", amount: "0.025" });
    await client.submit(JOB);
  });

  test("is listed, newest first, also when it is spent", async () => {
    const { id, post, client } = await madeCustomer(api, PREPAID);
    for (const ref of ["a", "b", "c"]) await post("top-ups", { ref, amount: "0.04" });
    await client.submit(JOB);
    const path = `/v1/customers/${id}/grants?limit=2`;
    const page = (await client.call({ path })) as { data: { ref: string }[]; next_cursor: string };
    expect(page.data.map(({ ref }) => ref)).toEqual(["c", "b"]);
    const rest = await api.operator.send({ path: `${path}&cursor=${page.next_cursor}` });
    expect(rest.body).toMatchObject({ data: [{ ref: "a", available: usd("0.00") }], has_more: false });
    expectError(await client.send({ path: `${path}&cursor=job_0001` }), "invalid_field", "cursor");
  });
});

describe("no money comes in", () => {
  const GOOD = { ref: "good", amount: "1.00" };

  test.each([
    ["an amount of nothing", { amount: "0" }, "/amount"],
    ["a negative amount", { amount: "-1" }, "/amount"],
    ["an amount that is a number", { amount: 1 }, "/amount"],
    ["an amount finer than a nano", { amount: "0.0000000001" }, "/amount"],
    ["an empty ref", { ref: "" }, "/ref"],
    ["a ref that is too long", { ref: "x".repeat(256) }, "/ref"],
    ["a priority that is no whole number", { priority: 1.5 }, "/priority"],
    ["a negative priority", { priority: -1 }, "/priority"],
    ["an end that is no time", { expires_at: "tomorrow" }, "/expires_at"],
    ["an end that has passed", { expires_at: "2020-01-01T00:00:00Z" }, "/expires_at"],
    ["a scope of nothing", { outcome_types: [] }, "/outcome_types"],
    ["a scope with a name twice", { outcome_types: [TYPE, TYPE] }, "/outcome_types"],
    ["a scope that names no outcome type", { outcome_types: [TYPE, "misspelt"] }, "/outcome_types/1"],
  ])("of %s", async (_, changes, param) => {
    const { post } = await madeCustomer(api, PREPAID);
    const before = await countGrants();
    for (const path of ["top-ups", "grants"]) {
      expectError(await post(path, { ...GOOD, ...changes }), "invalid_field", param);
    }
    expect(await countGrants()).toEqual(before);
  });

  test.each([
    ["amount", { amount: "1.01" }],
    ["priority", { priority: 7 }],
    ["end", { expires_at: "2099-01-01T00:00:00Z" }],
    ["scope", { outcome_types: [TYPE] }],
  ])("of a ref that came with another %s before", async (_, changes) => {
    const { post } = await madeCustomer(api, PREPAID);
    await post("top-ups", GOOD);
    const before = await countGrants();
    expectError(await post("top-ups", { ...GOOD, ...changes }), "grant_ref_reused", "/ref");
    expect(await countGrants()).toEqual(before);
  });

  test("of a customer who is billed on account, or whom there is not", async () => {
    const { post } = await madeCustomer(api);
    const before = await countGrants();
    expectError(await post("top-ups", GOOD), "not_prepaid", "id");
    expectError(await post("grants", GOOD), "not_prepaid", "id");
    const path = "/v1/customers/cus_nobody/top-ups";
    expectError(await api.operator.send({ method: "POST", path, body: GOOD }), "customer_not_found", "id");
    expect(await countGrants()).toEqual(before);
  });
});
