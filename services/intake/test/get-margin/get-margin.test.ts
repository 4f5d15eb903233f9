import { type MarginBody, marginSchema } from "@contingent/contracts/http/margin";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function margin(query = ""): Promise<MarginBody> {
  const { status, body } = await api.operator.send({ path: `/v1/margin${query}` });
  expect(status).toBe(200);
  return marginSchema.parse(body);
}

const usd = (amount: string): { amount: string; currency: "USD" } => ({ amount, currency: "USD" });

test("before anything happened there are no lines, and no share of nothing", async () => {
  const { lines, has_more: hasMore, totals } = await margin();
  expect([lines, hasMore]).toEqual([[], false]);
  expect(totals).toMatchObject({ jobs: 0, revenue: usd("0.00"), margin: usd("0.00"), margin_share: null });
});

test("costs of failed jobs lower the margin; the figures are exact before and after sealing", async () => {
  const first = await api.customer.submit(JOB);
  await take(api.pool, first.id, ...SUCCEED);
  const second = await api.otherCustomer.submit(JOB);
  await take(api.pool, second.id, claim(), answer(4_000_000n), judge("fail"), happens("cancel"), happens("settled"));
  const expected = {
    outcome_type: TYPE,
    jobs: 2,
    billed: 1,
    partial: 0,
    failed: 1,
    calls: 2,
    revenue: usd("0.04"),
    credits: usd("0.00"),
    adjustments: usd("0.00"),
    cost: usd("0.0040004"),
    absorbed_cost: usd("0.004"),
    margin: usd("0.0359996"),
    margin_share: 0.89999,
  };
  const { outcome_type: _, ...totals } = expected;
  expect(await margin()).toEqual({ object: "margin", lines: [expected], has_more: false, totals });
  await sealWindow(api.pool);
  expect(await margin()).toEqual({ object: "margin", lines: [expected], has_more: false, totals });
});

test("it is grouped by several things at once", async () => {
  const { lines } = await margin("?group_by=customer,outcome_type_version,tier,model");
  expect(lines).toHaveLength(2);
  const own = lines.find((line) => line.customer_id === api.customerId);
  expect(own).toMatchObject({ outcome_type: TYPE, outcome_type_version: 1, tier: "fast", billed: 1 });
  expect(own?.model).toMatch(/haiku/);
  const { rows } = await api.pool.query<{ day: string }>(
    "SELECT DISTINCT to_char(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM job ORDER BY day",
  );
  const byDay = await margin("?group_by=day");
  expect(byDay.lines.map((line) => line.day)).toEqual(rows.map((row) => row.day));
  expect(byDay.lines.reduce((sum, line) => sum + line.jobs, 0)).toBe(2);
});

test("it can be limited to a customer, an outcome type and days", async () => {
  expect((await margin(`?customer_id=${api.customerId}`)).totals).toMatchObject({ jobs: 1, failed: 0 });
  expect((await margin(`?outcome_type=${TYPE}`)).totals.jobs).toBe(2);
  expect((await margin("?outcome_type=other")).totals.jobs).toBe(0);
  expect((await margin("?from=2020-01-01&until=2100-01-01")).totals.jobs).toBe(2);
  expect((await margin("?until=2020-01-01")).totals.jobs).toBe(0);
});

describe("400", () => {
  test.each([
    ["group_by=", "group_by"],
    ["group_by=week", "group_by"],
    ["group_by=day,", "group_by"],
    ["group_by=day,day", "group_by"],
    ["group_by=day&group_by=tier", "group_by"],
    ["from=2026-13-01", "from"],
    ["from=2026-02-30", "from"],
    ["until=yesterday", "until"],
    ["from=2026-01-01T00:00:00Z", "from"],
    ["from=2026-01-02&until=2026-01-02", "until"],
    ["customer_id=42", "customer_id"],
    ["outcome_type=No%20Type", "outcome_type"],
  ])("%s", async (query, param) => {
    expectError(await api.operator.send({ path: `/v1/margin?${query}` }), "invalid_field", param);
  });

  test("a misspelt parameter is not silently left out", async () => {
    expectError(await api.operator.send({ path: "/v1/margin?groupby=day" }), "unknown_field", "groupby");
  });
});

test("403: customers do not see it", async () => {
  expectError(await api.customer.send({ path: "/v1/margin" }), "wrong_scope");
});
