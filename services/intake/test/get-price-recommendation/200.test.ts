import {
  type PriceRecommendationBody,
  priceRecommendationSchema,
} from "@contingent/contracts/http/price-recommendation";
import { nanos, ZERO } from "@contingent/core/money";
import type { JobId } from "@contingent/core/ids";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { publishTerms } from "@contingent/db/customer-terms";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, claim, DEFINITION, JOB, startApiWithType, TYPE } from "../harness.ts";

const VERSION = `/v1/outcome-types/${TYPE}/versions/1/price-recommendation`;
type Steps = Parameters<typeof take>[2][];

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function recommendation(path: string): Promise<PriceRecommendationBody> {
  const { status, body } = await api.operator.send({ path });
  expect(status).toBe(200);
  return priceRecommendationSchema.parse(body);
}

/** @returns the jobs */
async function run(outcomeType: string, count: number, ...steps: Steps): Promise<readonly JobId[]> {
  const one = async (): Promise<JobId> => {
    const { id } = await api.customer.submit({ ...JOB, outcome_type: outcomeType });
    await take(api.pool, id, ...steps);
    return id;
  };
  return await Promise.all(Array.from({ length: count }, one));
}

const succeedAt = (cost: bigint): Steps => [claim(), answer(cost), judge("pass"), happens("settled")];
/** An answer that fails, and a customer who gives up. */
const failAt = (cost: bigint): Steps => [claim(), answer(cost), judge("fail"), happens("cancel"), happens("settled")];

test("a version without jobs has no price, and says why", async () => {
  await api.operator.publish("new", DEFINITION);
  expect(await recommendation("/v1/outcome-types/new/versions/1/price-recommendation")).toEqual({
    object: "price_recommendation",
    outcome_type: "new",
    version: 1,
    status: "insufficient_data",
    reason: "too_few_jobs",
    jobs: 0,
    success: 0,
    partial: 0,
    failed: 0,
    success_rate: null,
    billable_outcomes: 0,
    cost: { amount: "0.00", currency: "USD" },
    cost_per_billable_outcome: null,
    cost_per_job: { p50: null, p95: null },
    list_price: { amount: "0.04", currency: "USD" },
    floor_price: null,
    target_price: null,
  });
});

test("the price bears the costs of failed jobs; open jobs and other versions are left out", async () => {
  await run(TYPE, 20, ...succeedAt(300_000n));
  await run(TYPE, 8, ...failAt(600_000n));
  await run(TYPE, 1, ...failAt(900_000n));
  expect(await recommendation(VERSION)).toMatchObject({
    status: "insufficient_data",
    jobs: 29,
    success: 20,
    failed: 9,
  });
  await run(TYPE, 1, ...failAt(900_000n));
  await run(TYPE, 1, claim(), answer(900_000n));
  await api.operator.publish(TYPE, { ...DEFINITION, description: "Another version" });
  await run(TYPE, 1, ...succeedAt(900_000n));

  // 20 × 0.0003 + 8 × 0.0006 + 2 × 0.0009 = 0.0126, borne by 20 outcomes: 0.00063 each. The successes alone cost 0.0003.
  expect(await recommendation(`${VERSION}?margin=0.3&fee_share=0.03&fee_fixed=0.01`)).toMatchObject({
    status: "point_estimate",
    reason: null,
    jobs: 30,
    success: 20,
    failed: 10,
    success_rate: 0.666667,
    billable_outcomes: 20,
    cost: { amount: "0.0126" },
    cost_per_billable_outcome: { amount: "0.00063" },
    cost_per_job: { p50: { amount: "0.0003" }, p95: { amount: "0.0009" } },
    list_price: { amount: "0.04" },
    // 0.01063 ÷ 0.97 and ÷ 0.67, rounded up.
    floor_price: { amount: "0.010958763" },
    target_price: { amount: "0.015865672" },
  });
  // Of 40 % unless asked otherwise, without fees.
  expect(await recommendation(VERSION)).toMatchObject({
    floor_price: { amount: "0.00063" },
    target_price: { amount: "0.00105" },
  });
});

test("it can be limited to jobs closed since an instant", async () => {
  expect((await recommendation(`${VERSION}?since=2100-01-01T00:00:00Z`)).jobs).toBe(0);
  expect((await recommendation(`${VERSION}?since=2020-01-01T00:00:00Z`)).jobs).toBe(30);
});

test("a partial counts by what it was charged", async () => {
  await api.operator.publish("tiered", {
    ...DEFINITION,
    partial_at: 0.5,
    price: {
      shape: "tiered",
      amount: "0.04",
      bands: [
        { from_score: 0.5, fraction: 0.5 },
        { from_score: 0.9, fraction: 1 },
      ],
    },
    attempts_max: 1,
  });
  await run("tiered", 15, ...succeedAt(300_000n));
  await run("tiered", 15, claim(), answer(300_000n), judge("partial"), happens("settled"));
  expect(await recommendation("/v1/outcome-types/tiered/versions/1/price-recommendation")).toMatchObject({
    status: "point_estimate",
    partial: 15,
    billable_outcomes: 22.5,
    // 0.009 ÷ 22.5
    cost_per_billable_outcome: { amount: "0.0004" },
  });
});

test("a customer's own price is the unit of their jobs: an outcome sold for less is an outcome all the same", async () => {
  await api.operator.publish("special", DEFINITION);
  await run("special", 15, ...succeedAt(300_000n));
  const price = { shape: "binary", amount: nanos(10_000_000n) } as const;
  const nothing = { outcomeTypes: {}, discountShare: 0, discountFixed: ZERO, commitmentMinimum: ZERO };
  const asked = { definition: {}, terms: { prices: { special: price }, ...nothing }, effectiveFromMs: null };
  expect(await publishTerms(api.pool, api.customerId, asked)).toMatchObject({ kind: "published" });
  await run("special", 15, ...succeedAt(300_000n));
  const { rows } = await api.pool.query<{ n: number }>(
    "SELECT count(DISTINCT amount_nanos)::int AS n FROM charge WHERE outcome_type = 'special'",
  );
  expect(rows[0]?.n).toBe(2);
  expect(await recommendation("/v1/outcome-types/special/versions/1/price-recommendation")).toMatchObject({
    jobs: 30,
    billable_outcomes: 30,
    cost_per_billable_outcome: { amount: "0.0003" },
    list_price: { amount: "0.04" },
  });
});

test("what was given back was not billed: a credit raises the price", async () => {
  await api.operator.publish("credited", DEFINITION);
  const [whole, half] = await run("credited", 30, ...succeedAt(285_000n));
  const give = async (jobId: JobId | undefined, amount: bigint): Promise<void> => {
    const credit = { jobId: jobId ?? "job_none", amount: nanos(amount), reason: "As a courtesy.", ref: `${amount}` };
    expect(await issueCreditNote(api.pool, credit)).toMatchObject({ kind: "issued" });
  };
  await give(whole, 40_000_000n);
  await give(half, 10_000_000n);
  await give(half, 9_999_999n);
  await give(half, 1n);
  expect(await recommendation("/v1/outcome-types/credited/versions/1/price-recommendation")).toMatchObject({
    success: 30,
    billable_outcomes: 28.5,
    // 30 × 0.000285 ÷ 28.5
    cost_per_billable_outcome: { amount: "0.0003" },
  });
});

test("jobs of which none was billed have figures and no price", async () => {
  await api.operator.publish("hopeless", DEFINITION);
  await run("hopeless", 30, ...failAt(400_000n));
  expect(await recommendation("/v1/outcome-types/hopeless/versions/1/price-recommendation")).toMatchObject({
    status: "insufficient_data",
    reason: "nothing_billed",
    jobs: 30,
    success_rate: 0,
    cost: { amount: "0.012" },
    target_price: null,
  });
});
