import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { madeCustomer } from "../customers/made.ts";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

interface Page {
  readonly data: readonly { readonly customer_id: string; readonly type: string; readonly data: object }[];
  readonly next_cursor: string | null;
}

test("each threshold of a limit is told once in a period, and again in the next one", async () => {
  const { client, post } = await madeCustomer(api, {
    limit: { amount: "0.16", period: "day" },
    alerts: { limit_shares: [0.5, 1] },
  });
  const told = async (): Promise<Page["data"]> => ((await client.call({ path: "/v1/events" })) as Page).data;
  await client.submit(JOB);
  expect(await told()).toEqual([]);
  const second = await client.submit(JOB);
  expect(await told()).toMatchObject([
    { type: "spending_limit.threshold_reached", data: { share: 0.5, limit: "0.16", period: "day", used: "0.08" } },
  ]);
  // Below the threshold, and across it again.
  await client.send({ method: "POST", path: `/v1/jobs/${second.id}/cancel` });
  await Promise.all([client.submit(JOB), client.submit(JOB)].map((submitted) => submitted.catch(() => null)));
  expect((await told()).filter(({ data }) => "share" in data && data.share === 0.5)).toHaveLength(1);
  await post("test-clock", { advance_ms: 24 * 3_600_000 });
  await client.submit(JOB).catch(() => null);
  expect((await told()).length).toBeGreaterThan(0);
});

test("operators see everybody's, customers their own; by type and page by page", async () => {
  const made = await Promise.all(
    Array.from({ length: 3 }, () => madeCustomer(api, { billing: "prepaid", alerts: { prepaid_below: "1" } })),
  );
  for (const { client, post } of made) {
    await post("top-ups", { ref: "one", amount: "1" });
    await client.submit(JOB);
  }
  const type = "prepaid.balance_low";
  const first = (await api.operator.call({ path: `/v1/events?type=${type}&limit=2` })) as Page;
  expect(first.data.map((event) => event.customer_id)).toEqual([made[2]?.id, made[1]?.id]);
  const rest = (await api.operator.call({ path: `/v1/events?type=${type}&cursor=${first.next_cursor}` })) as Page;
  expect(rest.data.map((event) => event.customer_id)).toEqual([made[0]?.id]);
  const [one, two] = made;
  const own = (await one?.client.call({ path: "/v1/events" })) as Page;
  expect(own.data).toMatchObject([{ customer_id: one?.id, type, data: { balance: "0.96", below: "1.00" } }]);
  const asked = await api.operator.send({ path: `/v1/events?customer_id=${two?.id}` });
  expect(asked.body).toMatchObject({ data: [{ customer_id: two?.id }] });
  const foreign = await one?.client.send({ path: `/v1/events?customer_id=${two?.id}` });
  if (foreign !== undefined) expectError(foreign, "wrong_scope", "customer_id");
  expectError(await api.operator.send({ path: "/v1/events?type=nonsense" }), "invalid_field", "type");
  expectError(await api.operator.send({ path: "/v1/events?cursor=job_0001" }), "invalid_field", "cursor");
});
