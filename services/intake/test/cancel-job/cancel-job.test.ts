import { jobSchema } from "@contingent/contracts/http/job";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

function cancel(id: string, client = api.customer): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: `/v1/jobs/${id}/cancel` });
}

describe("200", () => {
  test.each([
    ["queued", []],
    ["attempting", [claim()]],
    ["validating", [claim(), answer()]],
  ])("a job that is %s is canceled", async (_, steps) => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...steps);
    const answered = await cancel(id);
    expect(answered.status).toBe(200);
    expect(jobSchema.parse(answered.body)).toMatchObject({
      id,
      resolution: "failure",
      reason: "canceled",
      billable: false,
    });
  });

  test("its settlement is on the queue at once", async () => {
    const { id } = await api.customer.submit(JOB);
    await cancel(id);
    await until(() => api.queues.exists("settle", `${id}-2`), { timeoutMs: 5_000, what: "the message" });
  });

  test("the call under way counts at its worst case", async () => {
    const { id } = await api.customer.submit(JOB);
    const { cost } = await take(api.pool, id, claim());
    await cancel(id);
    const { rows } = await api.pool.query({
      text: "SELECT cost_presumed_nanos, cost_held_nanos FROM job WHERE id = $1",
      values: [id],
    });
    expect(rows).toEqual([{ cost_presumed_nanos: cost.held, cost_held_nanos: 0n }]);
  });

  test("canceling twice is the same as once, also when it is booked", async () => {
    const { id } = await api.customer.submit(JOB);
    await cancel(id);
    expect((await cancel(id)).status).toBe(200);
    await take(api.pool, id, happens("settled"));
    const again = await cancel(id);
    expect(jobSchema.parse(again.body)).toMatchObject({ state: "closed", reason: "canceled" });
  });

  test("operators may cancel anybody's job", async () => {
    const { id } = await api.customer.submit(JOB);
    expect((await cancel(id, api.operator)).status).toBe(200);
  });

  test("many at once cancel it once", async () => {
    const { id } = await api.customer.submit(JOB);
    const all = await Promise.all(Array.from({ length: 20 }, () => cancel(id)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    const { rowCount } = await api.pool.query({ text: "SELECT FROM job_event WHERE job_id = $1", values: [id] });
    expect(rowCount).toBe(2);
  });
});

describe("409: too late", () => {
  test.each([
    ["settling", [claim(), answer(), judge("pass")]],
    ["closed", SUCCEED],
  ])("a job that is %s", async (_, steps) => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...steps);
    expectError(await cancel(id), "job_not_cancelable", "id");
    expect(await api.customer.job(id)).toMatchObject({ resolution: "success" });
  });
});

test("404: another customer's job does not exist, and goes on", async () => {
  const { id } = await api.customer.submit(JOB);
  expectError(await cancel(id, api.otherCustomer), "job_not_found", "id");
  expect(await api.customer.job(id)).toMatchObject({ state: "queued" });
});
