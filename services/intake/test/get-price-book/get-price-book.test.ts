import { rates } from "@contingent/catalog/models";
import { priceBookPageSchema, type RateBody } from "@contingent/contracts/http/price-book";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const MODEL = "claude-sonnet-5-5";
const DAY_MS = 24 * 60 * 60_000;

async function page(query: string): Promise<{ data: RateBody[]; next_cursor: string | null }> {
  const { status, body } = await api.operator.send({ path: `/v1/price-book${query}` });
  expect(status).toBe(200);
  return priceBookPageSchema.parse(body);
}

async function importRate(effectiveFrom: number, input: string, correction = false): Promise<void> {
  const band = { prompt_tokens_max: null, output: "10", cache_write_5m: null, cache_write_1h: null, cache_read: null };
  const rate = { model: MODEL, provider: "anthropic", effective_from: new Date(effectiveFrom).toISOString() };
  const body = { source: input, correction, rates: [{ ...rate, bands: [{ ...band, input }] }] };
  expect((await api.operator.send({ method: "POST", path: "/v1/price-book", body })).status).toBe(201);
}

function told(rate: RateBody | undefined): string | undefined {
  return rate?.bands[0]?.input;
}

async function inForce(atMs: number, model = MODEL): Promise<string | undefined> {
  return told((await page(`?model=${model}&at=${encodeURIComponent(new Date(atMs).toISOString())}`)).data[0]);
}

describe("200", () => {
  test("without imports it is what the program ships with, in pages", async () => {
    const { data } = await page("?limit=100");
    expect(data.map(({ model }) => model)).toEqual(rates().map(({ model }) => model));
    expect(data.every((rate) => rate.import === null && rate.source === null)).toBe(true);
    expect(data[0]?.bands.map((band) => band.prompt_tokens_max)).toEqual([100_000, null]);
  });

  test("every page begins where the one before ended, from imported to shipped rates", async () => {
    const soon = Date.now() + DAY_MS;
    for (const input of ["3", "4", "5"]) await importRate(soon, input);
    const seen: RateBody[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const next: Awaited<ReturnType<typeof page>> = await page(`?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(next.data.length).toBeLessThanOrEqual(2);
      seen.push(...next.data);
      cursor = next.next_cursor;
    }
    expect(seen.slice(0, 3).map(told)).toEqual(["5.00", "4.00", "3.00"]);
    expect(seen.slice(3).map(({ model }) => model)).toEqual(rates().map(({ model }) => model));
    const own = await page(`?model=${MODEL}`);
    expect(own.data.map(told)).toEqual(["5.00", "4.00", "3.00", "2.00", "2.00"]);
  });

  test("at an instant it is one rate a model: the one that calls are booked at then", async () => {
    const change = Date.now() + 10 * DAY_MS;
    await importRate(change, "6");
    expect([await inForce(change - 1), await inForce(change)]).toEqual(["5.00", "6.00"]);
    const all = await page(`?limit=100&at=${new Date(change).toISOString()}`);
    expect(all.data.map(({ model }) => model)).toEqual([...new Set(rates().map(({ model }) => model))].toSorted());
    const [first, second] = all.data;
    const rest = await page(`?limit=1&at=${new Date(change).toISOString()}&cursor=${first?.model}`);
    expect(rest.data).toEqual([second]);
  });

  test("a correction does not rewrite what was booked before it: it counts from its import on", async () => {
    const before = Date.now() - 60_000;
    await importRate(Date.now() - DAY_MS, "7", true);
    expect([await inForce(before), await inForce(Date.now() + 1_000)]).toEqual(["2.00", "7.00"]);
  });

  test("a model without a price at that time is not in it", async () => {
    expect(await inForce(Date.parse("2020-01-01T00:00:00Z"))).toBe(undefined);
    expect((await page("?model=nobody")).data).toEqual([]);
  });
});

describe("400", () => {
  test.each(["first", "-1", "shipped-", "shipped-x", "1.5"])("the cursor %s", async (cursor) => {
    expectError(await api.operator.send({ path: `/v1/price-book?cursor=${cursor}` }), "invalid_field", "cursor");
  });

  test("an instant that is none", async () => {
    expectError(await api.operator.send({ path: "/v1/price-book?at=today" }), "invalid_field", "at");
  });
});
