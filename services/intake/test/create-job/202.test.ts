import { jobSchema } from "@contingent/contracts/http/job";
import { formatMoney, nanos } from "@contingent/core/money";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, JOB, startApiWithType, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("an accepted job", () => {
  test("is answered with where it stands", async () => {
    const metadata = { invoice: "42" };
    const answer = await api.customer.send({ method: "POST", path: "/v1/jobs", body: { ...JOB, metadata } });
    expect(answer.status).toBe(202);
    const job = jobSchema.parse(answer.body);
    expect(answer.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
    expect(job).toMatchObject({
      outcome_type: TYPE,
      outcome_type_version: 1,
      outcome_key: null,
      state: "queued",
      resolution: null,
      attempts: 0,
      billable: false,
      price: null,
      metadata,
      closed_at: null,
    });
    expect(Date.parse(job.deadline_at) - Date.parse(job.created_at)).toBe(120_000);
    expect(job.trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(await api.customer.job(job.id)).toEqual(job);
  });

  test("is durable, its money held and booked, before it is answered", async () => {
    const { id } = await api.customer.submit(JOB);
    const { rows } = await api.pool.query({
      text: `SELECT j.state, j.revision, i.input, e.type AS event, h.state AS hold, h.amount_nanos,
                    (SELECT json_agg(json_build_array(p.account_class, p.account_of, p.amount_nanos::text) ORDER BY p.seq)
                       FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id WHERE t.job_id = j.id) AS postings
               FROM job j JOIN job_input i ON i.job_id = j.id JOIN job_event e ON e.job_id = j.id JOIN hold h ON h.job_id = j.id
              WHERE j.id = $1`,
      values: [id],
    });
    expect(rows).toEqual([
      {
        state: "queued",
        revision: 1,
        input: JOB.input,
        event: "job.accepted",
        hold: "open",
        amount_nanos: 40_000_000n,
        postings: [
          ["memo:contra", "", "40000000"],
          ["customer:authorized", api.customerId, "-40000000"],
        ],
      },
    ]);
    expect(formatMoney(nanos(40_000_000n))).toBe("0.04");
  });

  test("has its message on the queue of its first tier at once", async () => {
    const { id } = await api.customer.submit(JOB);
    await until(() => api.queues.exists("attempt.fast", `${id}-1`), { timeoutMs: 5_000, what: "the message" });
  });

  test("keeps the order of the fields of its input, which the prompt shows", async () => {
    const { id } = await api.customer.submit({ ...JOB, input: { note: "z", document: "a" } });
    const { rows } = await api.pool.query<{ input: object }>({
      text: "SELECT input FROM job_input WHERE job_id = $1",
      values: [id],
    });
    expect(Object.keys(rows[0]?.input ?? {})).toEqual(["note", "document"]);
  });
});

test("who prefers to wait gets the unfinished job when the time is over", async () => {
  const started = performance.now();
  const answer = await api.customer.send({
    method: "POST",
    path: "/v1/jobs",
    body: JOB,
    headers: { prefer: "wait=1" },
  });
  expect(answer.status).toBe(202);
  expect(answer.headers.get("preference-applied")).toBe("wait=1");
  expect(performance.now() - started).toBeGreaterThan(900);
});

test("jobs that are posted together are accepted together, each for itself", async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => api.customer.submit({ ...JOB, input: { document: `Invoice ${i}` } })),
  );
  expect(new Set(answers.map((job) => job.id)).size).toBe(50);
  const { rows } = await api.pool.query<{ ok: boolean }>({
    text: `SELECT bool_and(i.input ->> 'document' = 'Invoice ' || w.n) AS ok
             FROM unnest($1::text[], $2::int[]) AS w (id, n) JOIN job_input i ON i.job_id = w.id`,
    values: [answers.map((job) => job.id), answers.map((_, n) => n)],
  });
  expect(rows[0]?.ok).toBe(true);
});

test("a job is accepted while the queue's transport is away", async () => {
  const lost = await api.anotherProcess({ queues: { publish: () => Promise.reject(new Error("away")) } });
  const job = await api.customer.at(lost.url).submit(JOB);
  expect(job.state).toBe("queued");
});
