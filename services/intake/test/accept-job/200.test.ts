import { jobSchema, operatorJobSchema } from "@contingent/contracts/http/job";
import type { JobId } from "@contingent/core/ids";
import { happens, partsOf, take } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "../harness.ts";
import {
  accept,
  awaiting,
  decideOn,
  decisionsOf,
  DELIVER,
  HOUR_MS,
  jobOf,
  REASON,
  reject,
  startApiWithAcceptance,
} from "./awaiting.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithAcceptance();
});
afterAll(() => api[Symbol.asyncDispose]());

test("what awaits acceptance can be looked at, and until when", async () => {
  const before = Date.now();
  const id = await awaiting(api);
  const job = await jobOf(api, id);
  expect(job).toMatchObject({
    state: "awaiting_acceptance",
    resolution: "success",
    reason: null,
    output: { answer: 42 },
    score: 0.95,
    billable: false,
    price: null,
  });
  expect(Math.abs(Date.parse(job.settles_at ?? "") - before - HOUR_MS)).toBeLessThan(60_000);
});

test("who prefers to wait is shown the outcome when it is there, not when its window is over", async () => {
  const body = { outcome_type: "reviewed", input: { document: "Invoice 1" }, outcome_key: "awaited" };
  const { id } = await api.customer.submit(body);
  await take(api.pool, id, ...DELIVER);
  const again = { method: "POST", path: "/v1/jobs", body, headers: { prefer: "wait=60" } };
  const answered = await api.customer.send({ ...again, signal: AbortSignal.timeout(15_000) });
  expect(jobSchema.parse(answered.body)).toMatchObject({ id, state: "awaiting_acceptance", output: { answer: 42 } });
});

test("a new job that is waited for is answered with 202 while its outcome awaits acceptance", async () => {
  const body = { outcome_type: "reviewed", input: { document: "Invoice 1" }, outcome_key: "awaited-anew" };
  const waiting = api.customer.send({ method: "POST", path: "/v1/jobs", body, headers: { prefer: "wait=60" } });
  const id = await until(() => jobByKey("awaited-anew"), { timeoutMs: 5_000, what: "the job" });
  await take(api.pool, id, ...DELIVER);
  const answered = await waiting;
  expect(answered.status).toBe(202);
  expect(jobSchema.parse(answered.body)).toMatchObject({ id, state: "awaiting_acceptance", output: { answer: 42 } });
});

async function jobByKey(key: string): Promise<JobId | null> {
  const { rows } = await api.pool.query<{ id: JobId }>({
    text: "SELECT id FROM job WHERE outcome_key = $1",
    values: [key],
  });
  return rows[0]?.id ?? null;
}

describe("accepting", () => {
  test("settles the outcome, which is charged then", async () => {
    const id = await awaiting(api);
    const answered = await accept(api, id);
    expect(answered.status).toBe(200);
    expect(jobSchema.parse(answered.body)).toMatchObject({
      id,
      state: "settling",
      resolution: "success",
      reason: "accepted",
      settles_at: null,
    });
    await take(api.pool, id, happens("settled"));
    expect(await jobOf(api, id)).toMatchObject({ billable: true, price: { amount: "0.04" }, output: { answer: 42 } });
  });

  test("is written down with the verdict that it is about, and with a reason if there is one", async () => {
    const id = await awaiting(api);
    const verdict = (await jobOf(api, id)).verdict?.id;
    await decideOn(api, id, { decision: "accept", reason: "Just so." });
    expect(await decisionsOf(api, id)).toEqual([
      { revision: 5, decision: "accept", reason: "Just so.", decided_by: "customer", verdict_id: verdict },
    ]);
  });

  test("twice is the same as once, also when it is booked", async () => {
    const id = await awaiting(api);
    await accept(api, id);
    expect((await accept(api, id)).status).toBe(200);
    await take(api.pool, id, happens("settled"));
    expect(jobSchema.parse((await accept(api, id)).body)).toMatchObject({ state: "closed", reason: "accepted" });
    expect(await decisionsOf(api, id)).toHaveLength(1);
  });

  test("puts the settlement on the queue at once", async () => {
    const id = await awaiting(api);
    await accept(api, id);
    await until(() => api.queues.exists("settle", `${id}-5`), { timeoutMs: 5_000, what: "the message" });
  });

  test("operators may do it for a customer, and it says so", async () => {
    const id = await awaiting(api);
    const answered = await decideOn(api, id, { decision: "accept" }, api.operator);
    expect(operatorJobSchema.parse(answered.body)).toMatchObject({ reason: "accepted" });
    expect(await decisionsOf(api, id)).toMatchObject([{ decided_by: "operator" }]);
  });
});

describe("rejecting", () => {
  test("ends the job, free of charge and without its output", async () => {
    const id = await awaiting(api);
    const answered = await reject(api, id);
    expect(jobSchema.parse(answered.body)).toMatchObject({
      state: "settling",
      resolution: "failure",
      reason: "rejected",
      output: null,
    });
    await take(api.pool, id, happens("settled"));
    expect(await jobOf(api, id)).toMatchObject({ billable: false, price: null });
    expect(await decisionsOf(api, id)).toMatchObject([{ decision: "reject", reason: REASON }]);
    expect((await reject(api, id)).status).toBe(200);
  });

  test("sends the job back to work where its type allows it, with a deadline of its own", async () => {
    const id = await awaiting(api, "reworked");
    await api.pool.query({ text: "UPDATE job SET deadline_at = now() - interval '1 day' WHERE id = $1", values: [id] });
    const job = jobSchema.parse((await reject(api, id)).body);
    expect(job).toMatchObject({ state: "queued", resolution: null, output: null, settles_at: null });
    expect(Date.parse(job.deadline_at)).toBeGreaterThan(Date.now() + 60_000);
    await until(() => api.queues.exists("attempt.fast", `${id}-5`), { timeoutMs: 5_000, what: "the message" });
  });

  test("tells the next attempts why, however often they fail", async () => {
    const id = await awaiting(api, "reworked");
    await reject(api, id, " Wrong\ncurrency:\t- /total [x]: y ");
    const { loader } = partsOf(api.pool);
    const said = { path: "", code: "rejected_by_customer", message: "Wrong currency: - /total [x]: y" };
    expect((await loader.forAttempt(id))?.findings).toEqual([said]);
    await take(api.pool, id, ...DELIVER);
    await reject(api, id);
    expect((await loader.forAttempt(id))?.findings).toEqual([{ ...said, message: REASON }, said]);
  });

  test("of a rework that is repeated changes nothing more", async () => {
    const id = await awaiting(api, "reworked");
    await reject(api, id);
    expect(jobSchema.parse((await reject(api, id)).body).state).toBe("queued");
    expect(await decisionsOf(api, id)).toHaveLength(1);
  });

  test("an outcome by its verdict cannot hit the one that came of the rework", async () => {
    const id = await awaiting(api, "reworked");
    const verdict = (await jobOf(api, id)).verdict?.id;
    const rejection = { decision: "reject", reason: REASON, verdict };
    await decideOn(api, id, rejection);
    await take(api.pool, id, ...DELIVER);
    expect(jobSchema.parse((await decideOn(api, id, rejection)).body).state).toBe("awaiting_acceptance");
    await accept(api, id);
    const decisions = await decisionsOf(api, id);
    expect(decisions.map(({ decision }) => decision)).toEqual(["reject", "accept"]);
    expect(decisions[0]?.verdict_id).toBe(verdict);
    expect(decisions[1]?.verdict_id).not.toBe(verdict);
  });
});

test("of many decisions at once one is taken, and who said the same is told so", async () => {
  const id = await awaiting(api);
  const all = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const decision = i % 2 === 0 ? "accept" : "reject";
      return { decision, status: (await decideOn(api, id, { decision, reason: REASON })).status };
    }),
  );
  const [taken, ...others] = await decisionsOf(api, id);
  expect(others).toEqual([]);
  for (const { decision, status } of all) expect(status).toBe(decision === taken?.decision ? 200 : 409);
});
