import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";
import { watch } from "../sse.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const STORY = ["job.accepted", "attempt.started", "attempt.answered", "job.resolved", "job.closed"];

test("the whole story arrives while it happens, and the stream ends after job.closed", async () => {
  const { id } = await api.customer.submit(JOB);
  const stream = await watch(api.customer, id);
  expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
  const first = await stream.events.next();
  expect(first.value).toMatchObject({
    id: "1",
    event: "job.accepted",
    data: { object: "event", job: id, revision: 1 },
  });
  await take(api.pool, id, ...SUCCEED);
  const rest = await stream.all();
  expect(rest.map(({ event }) => event)).toEqual(STORY.slice(1));
  expect(rest.map(({ id: revision }) => revision)).toEqual(["2", "3", "4", "5"]);
  expect(rest[0]?.data.data).toMatchObject({ number: 1, tier: "fast", model: "claude-haiku-5-5" });
});

describe("a stream that was broken", () => {
  test("goes on after the last event that was received", async () => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...SUCCEED);
    const resumed = await (await watch(api.customer, id, "3")).all();
    expect(resumed.map(({ event }) => event)).toEqual(STORY.slice(3));
  });

  test("ends at once when there is nothing more", async () => {
    const { id } = await api.customer.submit(JOB);
    await take(api.pool, id, ...SUCCEED);
    expect(await (await watch(api.customer, id, "5")).all()).toEqual([]);
    expect(await (await watch(api.customer, id, "999")).all()).toEqual([]);
  });
});

test("a closed job tells its story from the beginning", async () => {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
  const events = await (await watch(api.operator, id)).all();
  expect(events.map(({ event }) => event)).toEqual([
    "job.accepted",
    "attempt.started",
    "attempt.answered",
    "job.retried",
    "job.resolved",
    "job.closed",
  ]);
});

test("many may watch one job", async () => {
  const { id } = await api.customer.submit(JOB);
  const streams = await Promise.all(Array.from({ length: 20 }, () => watch(api.customer, id)));
  const all = Promise.all(streams.map((stream) => stream.all()));
  await take(api.pool, id, ...SUCCEED);
  for (const events of await all) expect(events.map(({ event }) => event)).toEqual(STORY);
});

test("a drain ends the stream without an error, and another process goes on with it", async () => {
  const process = await api.anotherProcess();
  const { id } = await api.customer.submit(JOB);
  const stream = await watch(api.customer.at(process.url), id);
  expect((await stream.events.next()).value).toMatchObject({ event: "job.accepted" });
  process.stop();
  expect(await stream.all()).toEqual([]);
  await take(api.pool, id, ...SUCCEED);
  const resumed = await (await watch(api.customer, id, "1")).all();
  expect(resumed.map(({ event }) => event)).toEqual(STORY.slice(1));
});

test("HEAD does not wait for the story", async () => {
  const { id } = await api.customer.submit(JOB);
  const headers = { authorization: `Bearer ${api.customer.key}` };
  const response = await fetch(`${api.url}/v1/jobs/${id}/events`, { method: "HEAD", headers });
  expect(response.status).toBe(200);
});
