import { jobPageSchema } from "@contingent/contracts/http/jobs";
import { happens, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, DEFINITION, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;
const ids: `job_${string}`[] = [];
beforeAll(async () => {
  api = await startApiWithType();
  await api.operator.publish("other-type", DEFINITION);
  for (let i = 0; i < 5; i += 1) {
    const { id } = await api.customer.submit({ ...JOB, outcome_key: `list-${i}` });
    ids.unshift(id);
  }
  await take(api.pool, ids[0] ?? "job_", ...SUCCEED);
  await take(api.pool, ids[1] ?? "job_", happens("cancel"), happens("settled"));
  await api.otherCustomer.submit({ ...JOB, outcome_type: "other-type" });
});
afterAll(() => api[Symbol.asyncDispose]());

async function list(query: string, client = api.customer): Promise<ReturnType<typeof jobPageSchema.parse>> {
  const answer = await client.send({ path: `/v1/jobs${query}` });
  expect(answer.status).toBe(200);
  return jobPageSchema.parse(answer.body);
}

test("customers get their own jobs, the newest first", async () => {
  const page = await list("");
  expect(page.data.map(({ id }) => id)).toEqual(ids);
  expect(page).toMatchObject({ object: "list", has_more: false, next_cursor: null });
});

test("operators get everybody's, or one customer's", async () => {
  expect((await list("", api.operator)).data).toHaveLength(6);
  expect((await list(`?customer_id=${api.customerId}`, api.operator)).data.map(({ id }) => id)).toEqual(ids);
});

test("pages follow each other without gaps or repeats, although new jobs arrive", async () => {
  const first = await list("?limit=2");
  expect(first).toMatchObject({ has_more: true });
  await api.otherCustomer.submit({ ...JOB, outcome_type: "other-type" });
  const second = await list(`?limit=2&cursor=${first.next_cursor}`);
  const third = await list(`?limit=2&cursor=${second.next_cursor}`);
  expect([first, second, third].flatMap((page) => page.data.map(({ id }) => id))).toEqual(ids);
  expect(third).toMatchObject({ has_more: false, next_cursor: null });
});

test("a page that is exactly full has no next one", async () => {
  expect(await list("?limit=5")).toMatchObject({ has_more: false, next_cursor: null });
});

describe("filters", () => {
  test.each([
    ["state=closed", [0, 1]],
    ["state=queued", [2, 3, 4]],
    ["resolution=success", [0]],
    ["resolution=failure", [1]],
    ["outcome_key=list-0", [4]],
    ["outcome_type=data-extraction", [0, 1, 2, 3, 4]],
    ["outcome_type=other-type", []],
    ["created_from=2020-01-01T00:00:00Z", [0, 1, 2, 3, 4]],
    ["created_until=2020-01-01T00:00:00Z", []],
    ["created_from=2999-01-01T00:00:00%2B02:00", []],
    ["state=closed&resolution=failure", [1]],
  ])("%s", async (query, expected) => {
    expect((await list(`?${query}`)).data.map(({ id }) => id)).toEqual(expected.map((index) => ids[index]));
  });

  test("the range of time includes its beginning and not its end", async () => {
    const { created_at: at } = await api.customer.job(ids[2] ?? "");
    expect((await list(`?created_from=${at}`)).data.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect((await list(`?created_until=${at}`)).data.map(({ id }) => id)).toEqual(ids.slice(3));
  });
});

test("parts are shown in full for every job of the page when asked", async () => {
  const page = await list("?expand%5B%5D=attempts&expand%5B%5D=charge&limit=2");
  expect(page.data[0]).toMatchObject({ attempt_list: [{ number: 1 }], charge: { amount: "0.04" } });
  expect(page.data[1]).toMatchObject({ attempt_list: [], charge: null });
});
