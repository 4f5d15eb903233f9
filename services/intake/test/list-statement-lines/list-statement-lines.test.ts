import { type StatementLineBody, statementLinePageSchema } from "@contingent/contracts/http/statements";
import type { JobId } from "@contingent/core/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType } from "../harness.ts";
import { charged, credited, moveTo, statementId, unbilled } from "../months.ts";

let api: Api;
let first: JobId;
let free: JobId;
beforeAll(async () => {
  api = await startApiWithType();
  await moveTo(api, 0);
  first = await charged(api, "invoice 1");
  free = await unbilled(api);
  await credited(api, first, 10_000_000n);
  await credited(api, first, 5_000_000n);
});
afterAll(() => api[Symbol.asyncDispose]());

async function page(query = ""): Promise<ReturnType<typeof statementLinePageSchema.parse>> {
  const path = `/v1/statements/${statementId(api, 0)}/lines${query}`;
  return statementLinePageSchema.parse(await api.customer.call({ path }));
}

describe("200", () => {
  test("each job with its reason, and each credit note", async () => {
    const { data, has_more: hasMore } = await page();
    expect(hasMore).toBe(false);
    expect(data).toMatchObject([
      {
        kind: "job",
        job: first,
        outcome_key: "invoice 1",
        reason: "verified",
        paid_from: "on_account",
        charged: { amount: "0.04" },
        amount: { amount: "0.04" },
      },
      {
        kind: "job",
        job: free,
        resolution: "failure",
        reason: "canceled",
        paid_from: null,
        charged: { amount: "0.00" },
        amount: { amount: "0.00" },
      },
      { kind: "credit", job: first, amount: { amount: "-0.01" } },
      { kind: "credit", job: first, amount: { amount: "-0.005" } },
    ]);
  });

  test.each([1, 2, 3])("on pages of %s, each line once", async (limit) => {
    const seen: StatementLineBody[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const { data, next_cursor: next } = await page(`?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...data);
      cursor = next;
    }
    expect(seen).toEqual((await page()).data);
  });
});

test.each([
  "nonsense",
  "jobs~2026-12-01T00:00:00.000000Z",
  "jobs~2026-12-01T00:00:00.000000Z~crn_none",
  "jobs~2026-13-01T00:00:00.000000Z~job_none",
  "jobs~2026-02-30T00:00:00.000000Z~job_none",
  "credits~now~crn_none",
  "jobs~2026-12-01T00:00:00.000000Z~job_none~",
])("400: the cursor %s", async (cursor) => {
  const path = `/v1/statements/${statementId(api, 0)}/lines?cursor=${cursor}`;
  expectError(await api.customer.send({ path }), "invalid_field", "cursor");
});

test("404: another customer's lines", async () => {
  expectError(
    await api.otherCustomer.send({ path: `/v1/statements/${statementId(api, 0)}/lines` }),
    "statement_not_found",
  );
});
