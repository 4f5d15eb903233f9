import { statementPageSchema } from "@contingent/contracts/http/statements";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CheckedClient, expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { charged, closed, moveTo, statementId } from "../months.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  for (const n of [0, 1, 2]) {
    await moveTo(api, n);
    await charged(api);
    if (n < 2) await closed(api, n);
  }
});
afterAll(() => api[Symbol.asyncDispose]());

async function idsOf(client: CheckedClient, query = ""): Promise<readonly string[]> {
  const { data } = statementPageSchema.parse(await client.call({ path: `/v1/statements${query}` }));
  return data.map(({ id }) => id);
}

describe("200", () => {
  test("a customer sees theirs, newest first, the open one included; others see none of them", async () => {
    const all = [2, 1, 0].map((n) => statementId(api, n));
    expect(await idsOf(api.customer)).toEqual(all);
    expect(await idsOf(api.operator, `?customer_id=${api.customerId}`)).toEqual(all);
    expect(await idsOf(api.otherCustomer)).not.toContain(all[0]);
  });

  test("by state", async () => {
    expect(await idsOf(api.customer, "?state=open")).toEqual([statementId(api, 2)]);
    expect(await idsOf(api.customer, "?state=closed")).toEqual([statementId(api, 1), statementId(api, 0)]);
    expect(await idsOf(api.customer, "?state=closing")).toEqual([]);
    expect(await idsOf(api.operator)).toEqual([statementId(api, 1), statementId(api, 0)]);
  });

  test("page by page, each statement once", async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const path: string = `/v1/statements?limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page = statementPageSchema.parse(await api.customer.call({ path }));
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).toEqual([2, 1, 0].map((n) => statementId(api, n)));
  });
});

test.each([
  ["state=paid", "invalid_field", "state"],
  ["customer_id=job_none", "invalid_field", "customer_id"],
  ["limit=0", "invalid_field", "limit"],
  ["cursor=nonsense", "invalid_field", "cursor"],
  ["cursor=stm_nobody202613", "invalid_field", "cursor"],
  ["state=open", "invalid_field", "customer_id"],
  ["period=2026-12", "unknown_field", "period"],
] as const)("400: %s", async (query, code, param) => {
  expectError(await api.operator.send({ path: `/v1/statements?${query}` }), code, param);
});

test("403: a customer asks for another one's", async () => {
  expectError(
    await api.otherCustomer.send({ path: `/v1/statements?customer_id=${api.customerId}` }),
    "wrong_scope",
    "customer_id",
  );
});
