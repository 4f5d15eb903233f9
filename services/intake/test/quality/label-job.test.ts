import type { JobId } from "@contingent/core/ids";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApi } from "../harness.ts";
import { AUDITED, charged, quality, times } from "./audited.ts";

const TYPE = "labelled";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.operator.publish(TYPE, AUDITED);
});
afterAll(() => api[Symbol.asyncDispose]());

function label(job: string, correct: unknown, reason: unknown = "I looked."): Promise<ApiAnswer> {
  return api.operator.send({ method: "POST", path: `/v1/jobs/${job}/label`, body: { correct, reason } });
}

/** A job whose answer was not good enough. */
async function failed(score: number): Promise<JobId> {
  const { id } = await api.customer.submit({ ...JOB, outcome_type: TYPE });
  await take(api.pool, id, claim(), answer(), judge("fail", score), happens("cancel"), happens("settled"));
  return id;
}

test("201: an answer is labelled, billed or not; said again it is a 200, and what is said later counts", async () => {
  const [billed, free] = [await charged(api, TYPE, 0.9), await failed(0.4)];
  const first = await label(billed, false);
  expect(first).toMatchObject({ status: 201, body: { job: billed, decision: "pass", score: 0.9, correct: false } });
  expect(await label(billed, false)).toMatchObject({ status: 200, body: first.body });
  expect(await label(billed, true)).toMatchObject({ status: 201 });
  expect(await label(free, true)).toMatchObject({ status: 201, body: { decision: "fail", score: 0.4 } });
  const { over_all: all } = await quality(api, TYPE);
  expect(all.labels).toEqual({ total: 2, acceptance: 0, dispute: 0, operator: 2, audit: 0 });
  // It is for calibration alone: nothing is measured of bills by it, and nothing becomes of the charge.
  expect(all.precision).toBeNull();
  expect(await api.customer.job(billed)).toMatchObject({ billable: true, credited: { amount: "0.00" } });
});

test("a lower threshold can be found by answers that were not billed", async () => {
  for (const correct of [...times(29, true), false]) await label(await failed(0.45), correct, "Checked by hand.");
  const put = await api.operator.send({
    method: "PUT",
    path: `/v1/outcome-types/${TYPE}`,
    body: { ...AUDITED, success_at: { probability: 0.95 } },
  });
  expect(put.status).toBe(201);
  expect((await quality(api, TYPE)).versions[0]?.success_at.score).toBeLessThan(0.5);
});

test("nothing is written for what cannot be labelled", async () => {
  const job = await charged(api, TYPE);
  expectError(await label(job, "yes"), "invalid_field", "/correct");
  expectError(await label(job, true, " "), "invalid_field", "/reason");
  expectError(await label("job_none", true), "job_not_found", "id");
  const { id } = await api.customer.submit({ ...JOB, outcome_type: TYPE });
  expectError(await label(id, true), "no_verdict", "id");
  const { rows } = await api.pool.query(
    "SELECT FROM operator_label l JOIN verdict v ON v.id = l.verdict_id WHERE job_id = $1",
    [job],
  );
  expect(rows).toEqual([]);
});
