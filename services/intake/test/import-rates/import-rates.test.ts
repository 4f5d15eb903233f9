import { priceBookImportSchema, type PriceBookImportBody } from "@contingent/contracts/http/price-book";
import { rateAt } from "@contingent/core/cost";
import { rates } from "@contingent/catalog/models";
import { priceBook } from "@contingent/db/price-book";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const DAY_MS = 24 * 60 * 60_000;
const TOMORROW = new Date(Date.now() + DAY_MS).toISOString();
const YESTERDAY = new Date(Date.now() - DAY_MS).toISOString();

const BAND = {
  prompt_tokens_max: null,
  input: "0.30",
  output: "1.50",
  cache_write_5m: "0.375",
  cache_write_1h: "0.60",
  cache_read: null,
};
const RATE = { model: "claude-haiku-5-5", provider: "anthropic", effective_from: TOMORROW, bands: [BAND] };

function send(body: unknown, client = api.operator): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: "/v1/price-book", body });
}

function importing(changes: object, whole: object = {}): Promise<ApiAnswer> {
  return send({ source: "a price list", rates: [{ ...RATE, ...changes }], ...whole });
}

async function imported(changes: object, whole: object = {}): Promise<PriceBookImportBody> {
  const answer = await importing(changes, whole);
  expect(answer.status).toBe(201);
  return priceBookImportSchema.parse(answer.body);
}

/** How much stands in the book, and in the books. */
async function rows(): Promise<unknown> {
  const counts = ["price_book_import", "price_book_rate", "ledger_transaction", "posting"].map(
    (table) => `(SELECT count(*) FROM ${table}) AS ${table}`,
  );
  return (await api.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}

describe("201", () => {
  test("what was added is answered as it was sent, with where it came from", async () => {
    const fast = { input: "2.00", output: "10.00" };
    const bands = [{ ...BAND, prompt_tokens_max: 100_000 }, BAND];
    const { id, added, unchanged } = await imported({ model: "model-of-its-own", bands, fast });
    expect(unchanged).toBe(0);
    expect(added).toEqual([
      {
        object: "rate",
        model: "model-of-its-own",
        provider: "anthropic",
        currency: "USD",
        effective_from: TOMORROW,
        effective_until: null,
        bands,
        fast,
        import: id,
        source: "a price list",
        imported_at: expect.any(String) as unknown,
      },
    ]);
  });

  test("of several rates only what the book does not say yet is added", async () => {
    await imported({ model: "twice-1" });
    const both = [
      { ...RATE, model: "twice-1" },
      { ...RATE, model: "twice-2" },
    ];
    const answer = await send({ source: "both", rates: both });
    expect(answer.status).toBe(201);
    const { added, unchanged } = priceBookImportSchema.parse(answer.body);
    expect([added.map(({ model }) => model), unchanged]).toEqual([["twice-2"], 1]);
  });

  test("the last word counts, also when it goes back to the one before", async () => {
    const dearer = { model: "back", bands: [{ ...BAND, output: "9.00" }] };
    await imported({ model: "back" });
    await imported(dearer);
    const { added } = await imported({ model: "back" });
    expect(added.map(({ bands }) => bands[0]?.output)).toEqual(["1.50"]);
  });

  test("a rate of now need not be a correction, though the clocks of two machines differ a little", async () => {
    const { added } = await imported({ model: "now", effective_from: new Date(Date.now() - 1_000).toISOString() });
    expect(added).toHaveLength(1);
  });

  test("a correction may begin in the past", async () => {
    const { added } = await imported({ model: "corrected", effective_from: YESTERDAY }, { correction: true });
    expect(added.map(({ effective_from: from }) => from)).toEqual([YESTERDAY]);
  });

  test("an imported model can be sold at once, in every process within seconds, and its price is reckoned with", async () => {
    const other = await api.anotherProcess();
    const cascade = [{ tier: "fast", models: ["model-to-sell"] }];
    const publish = (changes: object, client = api.operator): Promise<ApiAnswer> =>
      client.send({
        method: "PUT",
        path: "/v1/outcome-types/new-model",
        body: { ...DEFINITION, cascade, ...changes },
      });
    const elsewhere = api.operator.at(other.url);
    expectError(await publish({}, elsewhere), "invalid_outcome_type", "/cascade/0/models/0");
    expectError(await publish({}), "invalid_outcome_type", "/cascade/0/models/0");
    await imported({ model: "model-to-sell", effective_from: new Date().toISOString() });
    expect((await publish({})).status).toBe(201);
    // 512 output tokens at 1.50 per million are 0.000768.
    const tooLow = await publish({ cost_cap: "0.0007" });
    expect(expectError(tooLow, "invalid_outcome_type", "/cost_cap").message).toContain("cost 0.000768 at least");
    await expect.poll(async () => (await publish({}, elsewhere)).status, { timeout: 10_000 }).toBe(200);
  });
});

describe("200: repeating an import adds nothing", () => {
  test("whatever it is said to come from, and however its amounts and its time are written", async () => {
    await imported({ model: "repeated" });
    const before = await rows();
    const input = "0.3";
    const from = new Date(Date.parse(TOMORROW) + 60 * 60_000).toISOString().replace("Z", "+01:00");
    const again = await importing(
      { model: "repeated", effective_from: from, bands: [{ ...BAND, input }], fast: null },
      { source: "another list" },
    );
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ object: "price_book_import", id: null, added: [], unchanged: 1 });
    expect(await rows()).toEqual(before);
  });

  test("not even once its first instant has passed", async () => {
    await imported({ model: "past", effective_from: YESTERDAY }, { correction: true });
    expect((await importing({ model: "past", effective_from: YESTERDAY })).status).toBe(200);
  });

  test("nor what the program ships with", async () => {
    const shipped = await api.operator.send({ path: "/v1/price-book?model=claude-opus-5-5" });
    const [rate] = (shipped.body as { data: Record<string, unknown>[] }).data;
    const { model, provider, effective_from, bands, fast } = rate ?? {};
    const answer = await send({ source: "the same", rates: [{ model, provider, effective_from, bands, fast }] });
    expect(answer.status).toBe(200);
  });

  test("and many at once are one", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => importing({ model: "raced" })));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
  });
});

describe("400: nothing is imported and nothing posted", () => {
  const band = (changes: object): object => ({ bands: [{ ...BAND, ...changes }] });
  const upTo = (...limits: (number | null)[]): object => ({
    bands: limits.map((limit) => ({ ...BAND, prompt_tokens_max: limit })),
  });

  test.each<[string, object, string]>([
    ["a negative price", band({ input: "-0.30" }), "/rates/0/bands/0/input"],
    ["a price of nothing", band({ output: "0" }), "/rates/0/bands/0/output"],
    ["a cache price of nothing", band({ cache_read: "0.00" }), "/rates/0/bands/0/cache_read"],
    ["a price that is a number", band({ input: 0.3 }), "/rates/0/bands/0/input"],
    ["a price in words", band({ input: "cheap" }), "/rates/0/bands/0/input"],
    ["a price per token, one million times too high", band({ input: "300000" }), "/rates/0/bands/0/input"],
    ["a price that rounds", band({ input: "0.0000000001" }), "/rates/0/bands/0/input"],
    ["a free fast mode", { fast: { input: "1", output: "0" } }, "/rates/0/fast/output"],
    ["bands in the wrong order", upTo(200, 100, null), "/rates/0/bands/1/prompt_tokens_max"],
    ["a band twice", upTo(100, 100, null), "/rates/0/bands/1/prompt_tokens_max"],
    ["an open band that is not the last", upTo(null, 100, null), "/rates/0/bands/0/prompt_tokens_max"],
    ["a last band that is not open", upTo(100, 200), "/rates/0/bands/1/prompt_tokens_max"],
    ["no bands", { bands: [] }, "/rates/0/bands"],
    ["an unknown provider", { provider: "nobody" }, "/rates/0/provider"],
    ["a model id with spaces", { model: "claude haiku" }, "/rates/0/model"],
    ["a day without a time", { effective_from: "2027-01-01" }, "/rates/0/effective_from"],
    ["a first instant in the past", { effective_from: YESTERDAY }, "/rates/0/effective_from"],
  ])("%s", async (_, changes, param) => {
    const before = await rows();
    expectError(await importing(changes), "invalid_field", param);
    expect(await rows()).toEqual(before);
  });

  test("all of an import or none of it", async () => {
    const before = await rows();
    const good = { ...RATE, model: "good" };
    const answer = await send({ source: "mixed", rates: [good, { ...RATE, effective_from: YESTERDAY }] });
    expect(expectError(answer, "invalid_field", "/rates/1/effective_from").message).toContain("correction");
    expect(await rows()).toEqual(before);
  });

  test("two rates of one model from one instant on", async () => {
    expectError(await send({ source: "twice", rates: [RATE, RATE] }), "invalid_field", "/rates/1/model");
  });

  test.each<[string, object, "missing_field" | "unknown_field" | "invalid_field", string]>([
    ["no source", { rates: [RATE] }, "missing_field", "/source"],
    ["a blank source", { source: "  ", rates: [RATE] }, "invalid_field", "/source"],
    ["no rates", { source: "s", rates: [] }, "invalid_field", "/rates"],
    [
      "an end, which a rate gets from the one after it",
      { source: "s", rates: [{ ...RATE, effective_until: TOMORROW }] },
      "unknown_field",
      "/rates/0/effective_until",
    ],
  ])("%s", async (_, body, code, param) => {
    expectError(await send(body), code, param);
  });
});

test("a process that has just started knows what was imported, and a rate counts from its first instant", async () => {
  await imported({ model: "fresh" });
  const known = await priceBook(api.pool, rates()).rates();
  expect(rateAt(known, "fresh", Date.parse(TOMORROW) - 1)).toBe(null);
  expect(rateAt(known, "fresh", Date.parse(TOMORROW))?.bands).toEqual([
    {
      promptTokensMax: null,
      input: 300_000_000n,
      output: 1_500_000_000n,
      cacheWrite5m: 375_000_000n,
      cacheWrite1h: 600_000_000n,
      cacheRead: null,
    },
  ]);
});
