/** Hazard: a customer who has more jobs open than they may, or a refusal after which something is held all the same. */
import { type BulkLine, bulkLineSchema } from "@contingent/contracts/http/jobs";
import type { CustomerId } from "@contingent/core/ids";
import { happens, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CheckedClient, expectError } from "../checked-client.ts";
import { type Api, JOB, NO_LIMITS, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A customer who may have this many jobs open, with a key. */
async function customerWith(openJobsMax: number): Promise<{ readonly id: CustomerId; readonly client: CheckedClient }> {
  const body = { name: "Limited", limits: { open_jobs_max: openJobsMax } };
  const { id } = (await api.operator.call({ method: "POST", path: "/v1/customers", body })) as { id: CustomerId };
  const made = await api.operator.call({ method: "POST", path: `/v1/customers/${id}/keys`, body: { label: "test" } });
  return { id, client: api.customer.as((made as { key: string }).key) };
}

async function written(id: CustomerId): Promise<object | undefined> {
  const { rows } = await api.pool.query<object>({
    text: `SELECT open_jobs, held_nanos > 0 AS holds, (SELECT count(*)::int FROM job WHERE customer_id = $1) AS jobs,
                  (SELECT count(*)::int FROM idempotency WHERE customer_id = $1) AS keys
             FROM customer_account WHERE customer_id = $1`,
    values: [id],
  });
  return rows[0];
}

const submission = { method: "POST", path: "/v1/jobs", body: JOB } as const;

test("of many jobs at once as many are accepted as may be open, and of the others nothing is written", async () => {
  const { id, client } = await customerWith(5);
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, n) => client.send({ ...submission, headers: { "idempotency-key": `"key-${n}"` } })),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect([answers.length, refused.length]).toEqual([40, 35]);
  for (const answer of refused) {
    expectError(answer, "too_many_open_jobs", null);
    expect(answer.headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
  }
  expect(await written(id)).toEqual({ open_jobs: 5, holds: true, jobs: 5, keys: 5 });
});

test("a job that is closed makes room for another", async () => {
  const { client } = await customerWith(1);
  const { id } = await client.submit(JOB);
  expectError(await client.send(submission), "too_many_open_jobs", null);
  await take(api.pool, id, happens("cancel"), happens("settled"));
  expect((await client.send(submission)).status).toBe(202);
});

test("a repeat needs no room: it is answered like the first time", async () => {
  const { client } = await customerWith(1);
  const asked = { ...submission, headers: { "idempotency-key": '"the one"' } };
  const first = await client.send(asked);
  expect(first.status).toBe(202);
  const repeat = await client.send(asked);
  expect([repeat.status, repeat.body]).toEqual([first.status, first.body]);
});

test("a bulk request is refused line by line", async () => {
  const { id, client } = await customerWith(3);
  const body = Array.from({ length: 5 }, () => JSON.stringify(JOB)).join("\n");
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await client.send({ method: "POST", path: "/v1/jobs/bulk", body, headers });
  const lines = String(answer.body).trim().split("\n");
  const statuses = lines.map((line): BulkLine => bulkLineSchema.parse(JSON.parse(line))).map(({ status }) => status);
  expect(statuses.filter((status) => status === 202)).toHaveLength(3);
  expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  expect(await written(id)).toMatchObject({ open_jobs: 3, jobs: 3 });
});

test("a job that could not be done by its deadline is refused, with the time after which it could, and nothing is held", async () => {
  const { id, client } = await customerWith(100);
  // A hundred seconds' worth waits before whoever comes now; the deadline is two minutes, of which the tier needs two seconds.
  const overdue = Date.now() - 60_000;
  const load = { attemptsPerSecond: 10, places: [{ ahead: 999, turnAtMs: overdue }] };
  await using busy = await api.anotherProcess({ loadOf: () => load });
  expect((await client.at(busy.url).send(submission)).status).toBe(202);
  await using full = await api.anotherProcess({ loadOf: () => ({ ...load, attemptsPerSecond: 8 }) });
  const refused = await client.at(full.url).send(submission);
  expectError(refused, "deadline_out_of_reach", null);
  expect(refused.headers.get("retry-after")).toBe("7");
  await using stuck = await api.anotherProcess({ loadOf: () => ({ ...load, attemptsPerSecond: 0 }) });
  expect((await client.at(stuck.url).send(submission)).headers.get("retry-after")).toBe("600");
  expect(await written(id)).toMatchObject({ open_jobs: 1, jobs: 1 });
});

test("the operator sees and changes the limit; without one the deployment's counts", async () => {
  const { id, client } = await customerWith(0);
  expectError(await client.send(submission), "too_many_open_jobs", null);
  const billing = { method: "PUT", path: `/v1/customers/${id}/billing` };
  const body = { billing: "on_account", limit: null };
  const limited = await api.operator.call({ ...billing, body: { ...body, limits: { open_jobs_max: 1 } } });
  expect(limited).toMatchObject({ open_jobs: 0, limits: { open_jobs_max: 1 } });
  await client.submit(JOB);
  expect(await client.call({ path: "/v1/balance" })).toMatchObject({ open_jobs: 1, limits: { open_jobs_max: 1 } });
  expect(await api.operator.call({ ...billing, body })).toMatchObject({ limits: { open_jobs_max: null } });
  await client.submit(JOB);
  await using strict = await api.anotherProcess({ limits: { ...NO_LIMITS, openJobsMax: 2 } });
  expectError(await client.at(strict.url).send(submission), "too_many_open_jobs", null);
});
