import { type AttemptCostBody, attemptCostSchema } from "@contingent/contracts/http/attempt-cost";
import type { JobId } from "@contingent/core/ids";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { happens, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A job that succeeded at once: its attempt cost 0.0000004. */
async function closedJob(): Promise<{ readonly jobId: JobId; readonly attemptId: string }> {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, ...SUCCEED);
  return { jobId: id, attemptId: await attemptOf(id) };
}

async function attemptOf(jobId: JobId): Promise<string> {
  return (await api.operator.jobInFull(jobId)).attempt_list?.[0]?.id ?? "";
}

function correct(attemptId: string, body: unknown): Promise<ApiAnswer> {
  return api.operator.send({ method: "POST", path: `/v1/attempts/${attemptId}/cost`, body });
}

function read(attemptId: string): Promise<ApiAnswer> {
  return api.operator.send({ path: `/v1/attempts/${attemptId}/cost` });
}

async function corrected(attemptId: string, amount: string, reason = "invoice 7"): Promise<AttemptCostBody> {
  const answer = await correct(attemptId, { amount, reason });
  expect(answer.status).toBe(200);
  return attemptCostSchema.parse(answer.body);
}

/** How many ledger rows and corrections there are. */
async function rows(): Promise<unknown> {
  const counts = ["ledger_transaction", "posting", "attempt_cost_correction"].map(
    (table) => `(SELECT count(*) FROM ${table}) AS ${table}`,
  );
  return (await api.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}

describe("200", () => {
  test("an attempt's cost, as its provider reported it", async () => {
    const { jobId, attemptId } = await closedJob();
    const { status, body } = await read(attemptId);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      attempt: attemptId,
      job: jobId,
      provider: "anthropic",
      basis: "reported",
      cost: { amount: "0.0000004", currency: "USD" },
      corrections: [],
    });
  });

  test("a correction is booked, and job, attempt, margin and summary follow; the customer's charge does not", async () => {
    const { jobId, attemptId } = await closedJob();
    const before = await api.customer.job(jobId);
    const body = await corrected(attemptId, "0.0000007", "  the invoice says so ");
    expect(body).toMatchObject({
      basis: "corrected",
      cost: { amount: "0.0000007" },
      corrections: [
        {
          version: 1,
          previous: { amount: "0.0000004" },
          amount: { amount: "0.0000007" },
          difference: { amount: "0.0000003" },
          reason: "the invoice says so",
        },
      ],
    });
    expect((await read(attemptId)).body).toEqual(body);
    const job = await api.operator.jobInFull(jobId);
    expect(job).toMatchObject({ cost: { amount: "0.0000007" }, margin: { amount: "0.0399993" } });
    expect(job.attempt_list?.[0]?.cost.amount).toBe("0.0000007");
    expect(await api.customer.job(jobId)).toEqual(before);
  });

  test("the same amount again changes nothing, under whatever reason", async () => {
    const { attemptId } = await closedJob();
    const first = await corrected(attemptId, "0.0000005");
    const before = await rows();
    expect(await corrected(attemptId, "0.0000005", "another reason")).toEqual(first);
    expect(await rows()).toEqual(before);
  });

  test("an answer that was lost is estimated, until the truth is told", async () => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, claim(), happens("woke"));
    const attemptId = await attemptOf(id);
    const estimated = attemptCostSchema.parse((await read(attemptId)).body);
    expect(estimated).toMatchObject({ basis: "estimated", cost: estimated.reserve });
    expect(await corrected(attemptId, "0")).toMatchObject({ basis: "corrected", cost: { amount: "0.00" } });
  });
});

describe("4xx: nothing is posted", () => {
  test.each<[string, unknown, "invalid_field" | "missing_field" | "unknown_field", string]>([
    ["a negative amount", { amount: "-0.01", reason: "r" }, "invalid_field", "/amount"],
    ["an amount that no call can cost", { amount: "1000000.01", reason: "r" }, "invalid_field", "/amount"],
    ["an amount that is a number", { amount: 0.01, reason: "r" }, "invalid_field", "/amount"],
    ["an amount below a nano", { amount: "0.0000000001", reason: "r" }, "invalid_field", "/amount"],
    ["no amount", { reason: "r" }, "invalid_field", "/amount"],
    ["no reason", { amount: "0.01" }, "missing_field", "/reason"],
    ["a blank reason", { amount: "0.01", reason: " " }, "invalid_field", "/reason"],
    ["a currency", { amount: "0.01", currency: "EUR", reason: "r" }, "unknown_field", "/currency"],
  ])("400 for %s", async (_, body, code, param) => {
    const { attemptId } = await closedJob();
    const before = await rows();
    expectError(await correct(attemptId, body), code, param);
    expect(await rows()).toEqual(before);
  });

  test("404 for an attempt that there is not, 400 for what is no attempt", async () => {
    const body = { amount: "0.01", reason: "r" };
    const before = await rows();
    expectError(await correct("att_none", body), "attempt_not_found", "id");
    expectError(await read("att_none"), "attempt_not_found", "id");
    expectError(await correct("job_none", body), "invalid_field", "id");
    expect(await rows()).toEqual(before);
  });

  test("409 for an attempt that is still running", async () => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, claim());
    const before = await rows();
    expectError(await correct(await attemptOf(id), { amount: "0.01", reason: "r" }), "attempt_cost_open", "id");
    expect(await rows()).toEqual(before);
    expect((await read(await attemptOf(id))).body).toMatchObject({ basis: null, cost: { amount: "0.00" } });
  });
});
