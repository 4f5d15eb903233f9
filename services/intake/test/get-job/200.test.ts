import { jobSchema, operatorJobSchema } from "@contingent/contracts/http/job";
import { transaction } from "@contingent/db/pool";
import { answer, happens, inquires, judge, replies, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const ALL = "expand%5B%5D=attempts,verdict&expand%5B%5D=charge";

describe("a job that failed once and then succeeded", () => {
  let id: `job_${string}`;
  beforeAll(async () => {
    ({ id } = await api.customer.submit(JOB));
    await take(api.pool, id, claim(), answer(), judge("fail"), claim(), answer(), judge("pass"), happens("settled"));
  });

  test("shows at a glance what became of it", async () => {
    expect(await api.customer.job(id)).toMatchObject({
      state: "closed",
      resolution: "success",
      reason: "verified",
      output: { answer: 42 },
      score: 0.95,
      findings: [],
      attempts: 2,
      tokens: { input: 200, output: 120 },
      billable: true,
      price: { amount: "0.04", currency: "USD" },
    });
  });

  test("shows its attempts, its verdict and its charge when asked", async () => {
    const { body } = await api.customer.send({ path: `/v1/jobs/${id}?${ALL}` });
    const job = jobSchema.parse(body);
    expect(job.attempts).toBe(2);
    expect(job.attempt_list).toMatchObject([
      {
        number: 1,
        tier: "fast",
        model: "claude-haiku-5-5",
        outcome: "answered",
        tokens: { input: 100, output: 60 },
        verdict: { decision: "fail", score: 0.1, findings: [{ path: "/answer", code: "wrong" }] },
      },
      { number: 2, tier: "fast", outcome: "answered", verdict: { decision: "pass", score: 0.95, findings: [] } },
    ]);
    expect(job.verdict).toMatchObject({
      attempt: job.attempt_list?.[1]?.id,
      decision: "pass",
      validators: ["fixture@1"],
      evidence_hash: "sha256:0",
      duration_ms: 1,
    });
    expect(job.charge).toMatchObject({ amount: "0.04", currency: "USD", verdict: job.verdict?.id });
  });

  test("shows the operator what it cost and what is left", async () => {
    const { body } = await api.operator.send({ path: `/v1/jobs/${id}?${ALL}` });
    const job = operatorJobSchema.parse(body);
    expect(job).toMatchObject({
      customer_id: api.customerId,
      cost: { amount: "0.0000008", currency: "USD" },
      margin: { amount: "0.0399992", currency: "USD" },
    });
    expect(job.attempt_list?.map((attempt) => attempt.cost.amount)).toEqual(["0.0000004", "0.0000004"]);
  });

  test("shows the operator how each verdict came about, and the customer what their receipt attests", async () => {
    const [operator, customer] = await Promise.all(
      [api.operator, api.customer].map((client) => client.send({ path: `/v1/jobs/${id}?${ALL}` })),
    );
    const { attempt_list: attempts, verdict } = operatorJobSchema.parse(operator?.body);
    const how = (score: number): object => ({
      leaves: [{ leaf: "", validator: "fixture@1", score, duration_ms: 1 }],
      features: { confidence: 0.7 },
      cost: { amount: "0.00", currency: "USD" },
    });
    expect(attempts).toMatchObject([{ verdict: how(0.1) }, { verdict: how(0.95) }]);
    expect(verdict).toEqual(attempts?.[1]?.verdict);
    expect(customer?.body).toMatchObject({ verdict: { id: verdict?.id, score: 0.95 } });
    expect(JSON.stringify(customer?.body)).not.toMatch(/"(leaves|leaf|features|confidence|cost)"/);
  });

  test("a verdict costs what whoever was asked for it cost", async () => {
    const { id: asked } = await api.customer.submit(JOB);
    await take(
      api.pool,
      asked,
      claim(),
      answer(),
      inquires(300n),
      replies(200n),
      inquires(300n),
      replies(50n),
      judge("pass"),
    );
    const { body } = await api.operator.send({ path: `/v1/jobs/${asked}?${ALL}` });
    const { verdict, attempt_list: attempts, cost } = operatorJobSchema.parse(body);
    expect(verdict?.cost).toEqual({ amount: "0.00000025", currency: "USD" });
    expect(attempts?.[0]).toMatchObject({ cost: { amount: "0.0000004" }, verdict: { cost: verdict?.cost } });
    expect(cost.amount).toBe("0.00000065");
  });

  test("a verdict from before leaves were recorded shows none", async () => {
    const { id: old } = await api.customer.submit(JOB);
    await take(api.pool, old, ...SUCCEED);
    await transaction(api.pool, async (client) => {
      await client.query({ text: "SET LOCAL session_replication_role = replica" });
      await client.query({
        text: "UPDATE verdict SET leaves = NULL, features = DEFAULT WHERE job_id = $1",
        values: [old],
      });
    });
    const { body } = await api.operator.send({ path: `/v1/jobs/${old}?${ALL}` });
    expect(operatorJobSchema.parse(body).verdict).toMatchObject({
      leaves: null,
      features: {},
      validators: ["fixture@1"],
    });
  });
});

test("a job whose verdicts all failed shows the findings of the latest one, no output and no price", async () => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, claim(), answer(), judge("fail", 0.3));
  expect(await api.customer.job(id)).toMatchObject({
    state: "queued",
    resolution: null,
    output: null,
    score: 0.3,
    findings: [{ path: "/answer", code: "wrong", message: "It is not right." }],
    billable: false,
    price: null,
  });
});

test("an attempt under way has no end, no tokens and no verdict yet", async () => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, claim());
  const { body } = await api.customer.send({ path: `/v1/jobs/${id}?${ALL}` });
  expect(jobSchema.parse(body)).toMatchObject({
    state: "attempting",
    attempts: 1,
    attempt_list: [{ number: 1, outcome: null, tokens: null, ended_at: null, verdict: null }],
    verdict: null,
    charge: null,
  });
});

test("a canceled job is not billed", async () => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, happens("cancel"), happens("settled"));
  expect(await api.customer.job(id)).toMatchObject({
    state: "closed",
    resolution: "failure",
    reason: "canceled",
    output: null,
    billable: false,
    price: null,
  });
});

describe("?wait", () => {
  test("answers as soon as the job is closed", async () => {
    const { id } = await api.customer.submit(JOB);
    const waiting = api.customer.job(id, { waitS: 30 });
    const started = performance.now();
    await take(api.pool, id, ...SUCCEED);
    expect(await waiting).toMatchObject({ id, state: "closed" });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("answers with the job as it is when the time is over", async () => {
    const { id } = await api.customer.submit(JOB);
    expect(await api.customer.job(id, { waitS: 1 })).toMatchObject({ id, state: "queued" });
  });

  test("does not wait for a job that is closed", async () => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...SUCCEED);
    const started = performance.now();
    await api.customer.job(id, { waitS: 60 });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("a hundred callers waiting for different jobs cost one statement per look", async () => {
    const jobs = await Promise.all(Array.from({ length: 100 }, () => api.customer.submit(JOB)));
    const all = Promise.all(jobs.map(({ id }) => api.customer.job(id, { waitS: 30 })));
    await take(api.pool, jobs[7]?.id ?? "job_", ...SUCCEED);
    await Promise.all(
      jobs.filter((_, i) => i !== 7).map(({ id }) => take(api.pool, id, happens("cancel"), happens("settled"))),
    );
    const closed = await all;
    expect(closed.map(({ state }) => state)).toEqual(jobs.map(() => "closed"));
    expect(closed.filter(({ resolution }) => resolution === "success")).toHaveLength(1);
  });
});
