import { jobSchema } from "@contingent/contracts/http/job";
import type { JobId } from "@contingent/core/ids";
import type { ApiAnswer, ApiClient } from "@contingent/embedded/api-client";
import { take } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, JOB, startApiWithType, SUCCEED, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

function post(
  key: string,
  more: { body?: unknown; prefer?: string; client?: ApiClient; signal?: AbortSignal } = {},
): Promise<ApiAnswer> {
  const { body = JOB, prefer, client = api.customer, signal } = more;
  const headers = { "idempotency-key": key, ...(prefer === undefined ? {} : { prefer }) };
  return client.send({ method: "POST", path: "/v1/jobs", body, headers, ...(signal === undefined ? {} : { signal }) });
}

async function jobsOf(key: string): Promise<readonly { job_id: `job_${string}`; status: number | null }[]> {
  const { rows } = await api.pool.query<{ job_id: `job_${string}`; status: number | null }>({
    text: "SELECT job_id, status FROM idempotency WHERE key = $1",
    values: [key],
  });
  return rows;
}

describe("a repeated request", () => {
  test("gets the same answer, and says so", async () => {
    const first = await post("repeat-1");
    const { id } = jobSchema.parse(first.body);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    await take(api.pool, id, ...SUCCEED);
    const again = await post("repeat-1");
    expect(again.status).toBe(202);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.headers.get("location")).toBe(`/v1/jobs/${id}`);
    expect(again.body).toEqual(first.body);
  });

  test("may have its fields in another order, and its key in quotes", async () => {
    const body = { ...JOB, metadata: { a: "1", b: "2" } };
    const first = await post("repeat-2", { body });
    const again = await post('"repeat-2"', {
      body: { metadata: { b: "2", a: "1" }, input: JOB.input, outcome_type: TYPE },
    });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.body).toEqual(first.body);
  });

  test("gets the same answer although its outcome type has a new version that refuses its input", async () => {
    const other = {
      ...DEFINITION,
      input_schema: { type: "object", properties: { document: { type: "string", maxLength: 1 } } },
    };
    await api.operator.publish("changing", DEFINITION);
    const body = { ...JOB, outcome_type: "changing", outcome_key: "changing-1" };
    const first = await post("repeat-3", { body });
    await api.operator.publish("changing", other);
    const again = await post("repeat-3", { body });
    expect(again.body).toEqual(first.body);
    expect((await post("repeat-3b", { body })).headers.get("contingent-existing-job")).toBe("true");
    expectError(await post("repeat-3c", { body: { ...body, outcome_key: "changing-2" } }), "invalid_input");
  });

  test("keys belong to a customer: another one's do not count", async () => {
    const mine = await post("repeat-4");
    const theirs = await post("repeat-4", { client: api.otherCustomer });
    expect(theirs.status).toBe(202);
    expect(theirs.headers.get("idempotent-replayed")).toBeNull();
    expect(jobSchema.parse(theirs.body).id).not.toBe(jobSchema.parse(mine.body).id);
  });

  test("a request that was refused does not use up its key", async () => {
    expectError(await post("repeat-5", { body: { ...JOB, input: {} } }), "invalid_input");
    expect((await post("repeat-5")).status).toBe(202);
  });
});

test("another request under the same key is refused with 422", async () => {
  await post("reused");
  const answer = await post("reused", { body: { ...JOB, input: { document: "Invoice 2" } } });
  expectError(answer, "idempotency_key_reused", "idempotency-key");
});

test("a hundred identical requests at once, on two processes, make one job", async () => {
  const other = api.customer.at((await api.anotherProcess()).url);
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => post("hundred", { client: i % 2 === 0 ? api.customer : other })),
  );
  expect(new Set(all.map((answer) => answer.status))).toEqual(new Set([202]));
  expect(new Set(all.map((answer) => JSON.stringify(jobSchema.parse(answer.body)))).size).toBe(1);
  expect(all.filter((answer) => answer.headers.get("idempotent-replayed") === null)).toHaveLength(1);
  const { rowCount } = await api.pool.query({
    text: "SELECT FROM hold WHERE job_id = $1",
    values: [jobSchema.parse(all[0]?.body).id],
  });
  expect(rowCount).toBe(1);
});

describe("while the first request is still being served", () => {
  test("a repeat is told to come back, and then gets the same answer", async () => {
    const first = post("waiting-1", { prefer: "wait=30" });
    const [row] = await until(async () => ((await jobsOf("waiting-1")).length > 0 ? jobsOf("waiting-1") : null), {
      timeoutMs: 5_000,
    });
    const early = await post("waiting-1", { prefer: "wait=30" });
    expectError(early, "idempotency_in_flight");
    expect(early.headers.get("retry-after")).toBe("1");
    await take(api.pool, row?.job_id ?? "job_", ...SUCCEED);
    const answer = await first;
    expect(answer.status).toBe(200);
    const again = await post("waiting-1");
    expect(again.status).toBe(200);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.body).toEqual(answer.body);
  });

  test("its row is kept alive for as long as it waits", async () => {
    const first = post("waiting-2", { prefer: "wait=60" });
    const id = await until(
      async () => {
        const { rows } = await api.pool.query<{ job_id: JobId }>(
          "SELECT job_id FROM idempotency WHERE key = 'waiting-2' AND in_flight_until > created_at + interval '6 seconds'",
        );
        return rows[0]?.job_id;
      },
      { timeoutMs: 30_000, what: "a sign of life" },
    );
    await take(api.pool, id, ...SUCCEED);
    expect((await first).status).toBe(200);
    expect(await jobsOf("waiting-2")).toEqual([{ job_id: id, status: 200 }]);
  });
});

describe("a request whose process died while it waited", () => {
  async function dieWaiting(key: string): Promise<void> {
    await post(key);
    await api.pool.query({
      text: "UPDATE idempotency SET status = NULL, body = NULL, in_flight_until = now() - interval '1 ms' WHERE key = $1",
      values: [key],
    });
  }

  test("is taken over by its repeat, without a second job", async () => {
    await dieWaiting("died-1");
    const answer = await post("died-1");
    expect(answer.status).toBe(202);
    const rows = await jobsOf("died-1");
    expect(rows).toEqual([{ job_id: jobSchema.parse(answer.body).id, status: 202 }]);
    expect((await post("died-1")).headers.get("idempotent-replayed")).toBe("true");
  });

  test("is taken over by one of many repeats", async () => {
    await dieWaiting("died-2");
    const all = await Promise.all(Array.from({ length: 20 }, () => post("died-2")));
    const served = all.filter((answer) => answer.status === 202);
    const told = all.filter((answer) => answer.status === 409);
    expect(served.length).toBeGreaterThanOrEqual(1);
    expect(served.length + told.length).toBe(20);
    expect(new Set(served.map((answer) => jobSchema.parse(answer.body).id)).size).toBe(1);
  });
});

test("a caller who hangs up while waiting finds the answer under the key", async () => {
  const hangUp = new AbortController();
  const first = post("hung-up", { prefer: "wait=60", signal: hangUp.signal });
  await until(async () => (await jobsOf("hung-up")).length > 0, { timeoutMs: 5_000 });
  hangUp.abort();
  await expect(first).rejects.toThrow(/abort/);
  await until(async () => (await jobsOf("hung-up"))[0]?.status === 202, { timeoutMs: 5_000 });
  expect((await post("hung-up", { prefer: "wait=60" })).headers.get("idempotent-replayed")).toBe("true");
});
