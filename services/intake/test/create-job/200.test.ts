import { jobSchema } from "@contingent/contracts/http/job";
import { take } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import type { JobId } from "@contingent/core/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

async function newestJob(): Promise<JobId> {
  const { rows } = await api.pool.query<{ id: JobId }>({ text: "SELECT id FROM job ORDER BY id DESC LIMIT 1" });
  if (rows[0] === undefined) throw new Error("no job yet");
  return rows[0].id;
}

async function holdsOf(outcomeKey: string): Promise<number> {
  const { rowCount } = await api.pool.query({
    text: "SELECT FROM hold JOIN job ON job.id = hold.job_id WHERE outcome_key = $1",
    values: [outcomeKey],
  });
  return rowCount ?? 0;
}

test("who prefers to wait gets the closed job as soon as it is closed", async () => {
  const before = await api.customer.submit(JOB);
  const waiting = api.customer.send({ method: "POST", path: "/v1/jobs", body: JOB, headers: { prefer: "wait=30" } });
  const id = await until(async () => ((await newestJob()) === before.id ? null : await newestJob()), {
    timeoutMs: 5_000,
  });
  await take(api.pool, id, ...SUCCEED);
  const answer = await waiting;
  expect(answer.status).toBe(200);
  expect(jobSchema.parse(answer.body)).toMatchObject({
    id,
    state: "closed",
    resolution: "success",
    reason: "verified",
    output: { answer: 42 },
    score: 0.95,
    attempts: 1,
    tokens: { input: 100, output: 60 },
    billable: true,
    price: { amount: "0.04", currency: "USD" },
  });
});

describe("asking for the same outcome again", () => {
  test("returns the first job, and reserves nothing again", async () => {
    const body = { ...JOB, outcome_key: "invoice-1" };
    const first = await api.customer.submit(body);
    const again = await api.customer.send({ method: "POST", path: "/v1/jobs", body });
    expect(again.status).toBe(200);
    expect(again.headers.get("contingent-existing-job")).toBe("true");
    expect(again.body).toEqual(first);
    expect(await holdsOf("invoice-1")).toBe(1);
  });

  test("returns the first job as it is now", async () => {
    const body = { ...JOB, outcome_key: "invoice-2" };
    const { id } = await api.customer.submit(body);
    await take(api.pool, id, ...SUCCEED);
    const again = await api.customer.send({ method: "POST", path: "/v1/jobs", body });
    expect(jobSchema.parse(again.body)).toMatchObject({ id, state: "closed", billable: true });
  });

  test("under another Idempotency-Key returns the first job, and the same answer when that is repeated", async () => {
    const body = { ...JOB, outcome_key: "invoice-3" };
    const post = (key: string): ReturnType<typeof api.customer.send> =>
      api.customer.send({ method: "POST", path: "/v1/jobs", body, headers: { "idempotency-key": key } });
    const first = await post("key-a");
    const other = await post("key-b");
    expect(first.status).toBe(202);
    expect(other.status).toBe(200);
    expect(other.headers.get("contingent-existing-job")).toBe("true");
    expect(other.body).toEqual(first.body);
    const { id } = jobSchema.parse(first.body);
    await take(api.pool, id, ...SUCCEED);
    const replayed = await post("key-b");
    expect(replayed.status).toBe(200);
    expect(replayed.headers.get("idempotent-replayed")).toBe("true");
    expect(replayed.headers.get("contingent-existing-job")).toBe("true");
    expect(replayed.body).toEqual(other.body);
    expect(await holdsOf("invoice-3")).toBe(1);
  });

  test("may wait for the first job's result", async () => {
    const body = { ...JOB, outcome_key: "invoice-4" };
    const { id } = await api.customer.submit(body);
    const waiting = api.customer.send({ method: "POST", path: "/v1/jobs", body, headers: { prefer: "wait=30" } });
    await take(api.pool, id, ...SUCCEED);
    expect(jobSchema.parse((await waiting).body)).toMatchObject({ id, state: "closed" });
  });

  test("is not confused by fields in another order, or by other metadata", async () => {
    const input = { document: "x", note: "y" };
    const first = await api.customer.submit({ ...JOB, input, outcome_key: "invoice-5" });
    const reordered = { ...JOB, input: { note: "y", document: "x" }, outcome_key: "invoice-5", metadata: { try: "2" } };
    const again = await api.customer.send({ method: "POST", path: "/v1/jobs", body: reordered });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first);
  });

  test("works for every customer on their own", async () => {
    const body = { ...JOB, outcome_key: "invoice-6" };
    const mine = await api.customer.submit(body);
    const theirs = await api.otherCustomer.submit(body);
    expect(theirs.id).not.toBe(mine.id);
  });
});

test("a hundred requests for one outcome at once, on two processes, make one job", async () => {
  const other = api.customer.at((await api.anotherProcess()).url);
  const body = { ...JOB, outcome_key: "invoice-100" };
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      (i % 2 === 0 ? api.customer : other).send({
        method: "POST",
        path: "/v1/jobs",
        body,
        // Some with a key of their own, some without: it makes no difference.
        headers: i % 4 < 2 ? { "idempotency-key": `hundred-${i}` } : {},
      }),
    ),
  );
  expect(new Set(all.map((answer) => jobSchema.parse(answer.body).id)).size).toBe(1);
  expect(all.filter((answer) => answer.status === 202)).toHaveLength(1);
  expect(all.filter((answer) => answer.status === 200)).toHaveLength(99);
  expect(await holdsOf("invoice-100")).toBe(1);
});
