import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";
import { watch } from "../sse.ts";

let api: Api;
beforeEach(async () => {
  api = await startApiWithType();
});
afterEach(() => api[Symbol.asyncDispose]());

test("while the database is away requests are told to come back, and afterwards all goes on without a restart", async () => {
  const { id } = await api.customer.submit(JOB);
  await api.databaseLink.cut();
  for (const request of [
    { path: `/v1/jobs/${id}` },
    { path: "/v1/jobs" },
    { method: "POST", path: "/v1/jobs", body: JOB },
  ]) {
    const answer = await api.customer.send(request);
    expectError(answer, "database_unavailable");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  await api.databaseLink.restore();
  await until(async () => (await api.customer.send({ path: `/v1/jobs/${id}` })).status === 200, { timeoutMs: 20_000 });
  expect((await api.customer.submit(JOB)).state).toBe("queued");
});

test("a request that is repeated after a lost connection makes one job", async () => {
  const headers = { "idempotency-key": "lost" };
  const request = { method: "POST", path: "/v1/jobs", body: JOB, headers };
  await api.databaseLink.cut();
  expectError(await api.customer.send(request), "database_unavailable");
  await api.databaseLink.restore();
  const answer = await until(
    async () => {
      const repeated = await api.customer.send(request);
      return repeated.status === 202 ? repeated : null;
    },
    { timeoutMs: 20_000 },
  );
  expect((await api.customer.send(request)).body).toEqual(answer.body);
  const { rowCount } = await api.pool.query("SELECT FROM job");
  expect(rowCount).toBe(1);
});

test("those who wait go on waiting while the database is away for a moment", async () => {
  const { id } = await api.customer.submit(JOB);
  const waiting = api.customer.send({ path: `/v1/jobs/${id}?wait=20` });
  await until(async () => watches(), { timeoutMs: 20_000, what: "the poller" });
  await api.databaseLink.cut();
  await api.databaseLink.restore();
  await api.pool.query({
    text: `UPDATE job SET state = 'closed', resolution = 'failure', reason = 'canceled', closed_at = now(), revision = 2 WHERE id = $1`,
    values: [id],
  });
  expect((await waiting).body).toMatchObject({ id, state: "closed" });
});

test("a stream that cannot go on is cut, so that the client comes back", async () => {
  const { id } = await api.customer.submit(JOB);
  const stream = await watch(api.customer, id);
  expect((await stream.events.next()).value).toMatchObject({ event: "job.accepted" });
  stream.hangUp();
  await expect(stream.events.next()).rejects.toThrow(/abort/);
});

test("waiting requests end when the process drains", async () => {
  const { id } = await api.customer.submit(JOB);
  const process = await api.anotherProcess();
  const waiting = api.customer.at(process.url).send({ path: `/v1/jobs/${id}?wait=60` });
  await until(async () => watches(), { timeoutMs: 20_000, what: "the poller" });
  process.stop();
  expect((await waiting).body).toMatchObject({ id, state: "queued" });
});

test("a job that was accepted is answered as accepted, although nothing can be read of it any more", async () => {
  const process = await api.anotherProcess();
  const headers = { prefer: "wait=60" };
  const waiting = api.customer.at(process.url).send({ method: "POST", path: "/v1/jobs", body: JOB, headers });
  await until(async () => watches(), { timeoutMs: 20_000, what: "the poller" });
  await api.databaseLink.cut();
  process.stop();
  expect(await waiting).toMatchObject({ status: 202, body: { state: "queued" } });
});

/** Whether a process asks for positions just now; not this question, in which the same words stand. */
async function watches(): Promise<boolean> {
  const { rowCount } = await api.pool.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'intake-test-customers' AND query LIKE '%SELECT id, revision, state FROM job%'",
  );
  return (rowCount ?? 0) > 0;
}
