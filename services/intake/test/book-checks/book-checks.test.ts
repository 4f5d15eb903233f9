import { bookCheckSchema } from "@contingent/contracts/http/book-checks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { acceptedJob, answer, claim, happens, judge, take } from "@contingent/testkit/jobs";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const check = (mode: string) => ({ method: "POST", path: "/v1/books/checks", body: { mode } });

test("an operator checks all invariants, and then only what is new", async () => {
  const id = await acceptedJob(api.pool);
  await take(api.pool, id, claim(), answer(), judge("pass"), happens("settled"));
  const first = bookCheckSchema.parse((await api.operator.send(check("incremental"))).body);
  expect(first).toMatchObject({ mode: "full", is_clean: true });
  // Every invariant of the project's list has a number from 1 to 20.
  const numbers = first.invariants.map(({ number }) => number);
  expect(Array.from({ length: 20 }, (_, n) => n + 1).filter((number) => !numbers.includes(number))).toEqual([]);
  expect((await api.operator.send(check("incremental"))).body).toMatchObject({ mode: "incremental", is_clean: true });
  const { body } = await api.operator.send({ path: "/v1/books/checks?limit=1" });
  expect(body).toMatchObject({ data: [{ number: 2 }], has_more: true, next_cursor: "2" });
  expect((await api.operator.send({ path: "/v1/books/checks?cursor=2" })).body).toMatchObject({
    data: [{ number: 1 }],
  });
});

test("what is broken is named", async () => {
  const client = await api.pool.connect();
  await client.query("SET session_replication_role = replica");
  await client.query("UPDATE job SET cost_known_nanos = cost_known_nanos + 1");
  client.release(true);
  const { body } = await api.operator.send(check("full"));
  const broken = bookCheckSchema.parse(body).invariants.filter(({ violations }) => violations.length > 0);
  expect(broken.map(({ number }) => number)).toEqual([9]);
});

test("bad requests are refused, and nothing is checked", async () => {
  const count = async () => (await api.pool.query<{ count: bigint }>("SELECT count(*) FROM book_check")).rows;
  const before = await count();
  expectError(await api.operator.send(check("thorough")), "invalid_field", "/mode");
  expectError(
    await api.operator.send({ ...check("full"), body: { mode: "full", deep: true } }),
    "unknown_field",
    "/deep",
  );
  expectError(await api.operator.send({ path: "/v1/books/checks?cursor=x" }), "invalid_field", "cursor");
  expectError(await api.customer.send(check("full")), "wrong_scope");
  expectError(await api.customer.send({ path: "/v1/books/checks" }), "wrong_scope");
  expect(await count()).toEqual(before);
});

test("one check runs at a time", async () => {
  const client = await api.pool.connect();
  await client.query("SELECT pg_advisory_lock(5391003)");
  expectError(await api.operator.send(check("full")), "check_in_progress");
  await client.query("SELECT pg_advisory_unlock(5391003)");
  client.release();
});
