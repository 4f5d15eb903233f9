import { type SummaryBody, summarySchema } from "@contingent/contracts/http/summary";
import type { JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, DEFINITION, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function summary(query = ""): Promise<SummaryBody> {
  const { status, body } = await api.operator.send({ path: `/v1/summary${query}` });
  expect(status).toBe(200);
  return summarySchema.parse(body);
}

test("an empty system sums up to nothing", async () => {
  const { outcome_types: lines, totals } = await summary();
  expect(lines).toEqual([]);
  expect(totals).toMatchObject({ jobs: 0, billed: { amount: "0.00" }, margin: { amount: "0.00" } });
});

test("every job is counted once, and the money adds up", async () => {
  const tiered = {
    ...DEFINITION,
    partial_at: 0.5,
    price: { shape: "tiered", amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] },
    attempts_max: 1,
  };
  await api.operator.publish("tiered", tiered);
  const run = async (outcomeType: string, ...steps: Parameters<typeof take>[2][]): Promise<JobId> => {
    const { id } = await api.customer.submit({ ...JOB, outcome_type: outcomeType });
    await take(api.pool, id, ...steps);
    return id;
  };
  // Succeeds at once; after two failures and an escalation; fails; is canceled; is open.
  await run(JOB.outcome_type, ...SUCCEED);
  const fail = [claim(), answer(), judge("fail")];
  await run(JOB.outcome_type, ...fail, ...fail, ...fail, ...SUCCEED);
  await run(JOB.outcome_type, ...fail, ...fail, ...fail, ...fail, ...fail, happens("settled"));
  await run(JOB.outcome_type, happens("cancel"), happens("settled"));
  await run(JOB.outcome_type, claim());
  const partial = await run("tiered", claim(), answer(), judge("partial"), happens("settled"));
  const credit = { jobId: partial, amount: nanos(10_000_000n), reason: "As a courtesy.", ref: "courtesy" };
  expect(await issueCreditNote(api.pool, credit)).toMatchObject({ kind: "issued" });

  const { outcome_types: lines, totals } = await summary();
  expect(lines).toEqual([
    {
      outcome_type: "data-extraction",
      jobs: 5,
      open: 1,
      success: 2,
      partial: 0,
      failed: 2,
      attempts: 11,
      escalations: 2,
      billed: { amount: "0.08", currency: "USD" },
      credited: { amount: "0.00", currency: "USD" },
      // Ten answers at 400 nanos each.
      model_cost: { amount: "0.000004", currency: "USD" },
      absorbed_cost: { amount: "0.000002", currency: "USD" },
      margin: { amount: "0.079996", currency: "USD" },
    },
    {
      outcome_type: "tiered",
      jobs: 1,
      open: 0,
      success: 0,
      partial: 1,
      failed: 0,
      attempts: 1,
      escalations: 0,
      billed: { amount: "0.02", currency: "USD" },
      credited: { amount: "0.01", currency: "USD" },
      model_cost: { amount: "0.0000004", currency: "USD" },
      absorbed_cost: { amount: "0.00", currency: "USD" },
      margin: { amount: "0.0099996", currency: "USD" },
    },
  ]);
  expect(totals).toMatchObject({ jobs: 6, success: 2, partial: 1, failed: 2, open: 1, billed: { amount: "0.10" } });
});

test("it can be limited to a customer and a period", async () => {
  const { totals } = await summary();
  expect((await summary(`?customer_id=${api.customerId}`)).totals).toEqual(totals);
  expect((await summary("?customer_id=cus_none")).totals.jobs).toBe(0);
  expect((await summary("?created_until=2020-01-01T00:00:00Z")).totals.jobs).toBe(0);
  expect((await summary("?created_from=2020-01-01T00:00:00Z")).totals).toEqual(totals);
});

test("403: customers do not see it", async () => {
  expectError(await api.customer.send({ path: "/v1/summary" }), "wrong_scope");
});
