import type { JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import {
  acceptedJob,
  answer,
  claim as claimAtFixtureRates,
  happens,
  judge,
  take,
  type TestStep,
} from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function jobAfter(...steps: readonly TestStep[]): Promise<JobId> {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, ...steps);
  return id;
}

describe("404: what was not charged has no receipt, and the answer says why", () => {
  test.each<[string, readonly TestStep[], string]>([
    ["still queued", [], "is still queued"],
    ["verified, but not booked yet", [claim(), answer(), judge("pass")], "is still settling"],
    ["canceled", [happens("cancel"), happens("settled")], "ended as a failure (canceled)"],
  ])("%s", async (_, steps, why) => {
    const id = await jobAfter(...steps);
    const { message } = expectError(await api.customer.send({ path: `/v1/jobs/${id}/receipt` }), "no_charge", "id");
    expect(message).toContain(why);
  });

  test("delivered at no charge", async () => {
    const bands = [{ fromScore: 0.99, fraction: 1 }];
    const price = { shape: "tiered", amount: nanos(40_000_000n), bands } as const;
    const id = await acceptedJob(api.pool, { customerId: api.customerId, terms: { price } });
    await take(api.pool, id, claimAtFixtureRates(), answer(), judge("pass", 0.95), happens("settled"));
    const { message } = expectError(await api.customer.send({ path: `/v1/jobs/${id}/receipt` }), "no_charge");
    expect(message).toContain("delivered at no charge");
  });

  test("asking leaves nothing behind", async () => {
    const id = await jobAfter();
    await api.customer.send({ path: `/v1/jobs/${id}/receipt` });
    expect((await api.pool.query("SELECT FROM receipt")).rowCount).toBe(0);
  });
});

test("404: another customer's job does not exist, charged or not", async () => {
  const id = await jobAfter(...SUCCEED);
  expectError(await api.otherCustomer.send({ path: `/v1/jobs/${id}/receipt` }), "job_not_found", "id");
  expectError(await api.customer.send({ path: "/v1/jobs/job_none/receipt" }), "job_not_found", "id");
});

test("400: what is no job's id, and a parameter that is not known", async () => {
  expectError(await api.customer.send({ path: "/v1/jobs/42/receipt" }), "invalid_field", "id");
  expectError(await api.customer.send({ path: "/v1/jobs/job_none/receipt?format=pdf" }), "unknown_field", "format");
});
