import { costOf, NO_USAGE, rateAt, type Rate, UnknownPriceError, type Usage } from "@contingent/core/cost";
import { formatMoney } from "@contingent/core/money";
import { describe, expect, test } from "vitest";
import { rates } from "./models.ts";
import { isTierId, tier, tierIds } from "./tiers.ts";

const NOVEMBER = Date.parse("2026-11-23T12:00:00Z");
const HAIKU = "claude-haiku-5-5";
const SONNET = "claude-sonnet-5-5";
const OPUS = "claude-opus-5-5";
const FABLE = "claude-fable-5-1";

function rateOf(model: string, atMs = NOVEMBER): Rate {
  const rate = rateAt(rates(), model, atMs);
  if (rate === null) throw new Error(`no rate of ${model}`);
  return rate;
}

function cost(model: string, usage: Partial<Usage>, atMs = NOVEMBER): bigint {
  return costOf(rateOf(model, atMs), { ...NO_USAGE, ...usage });
}

/**
 * The golden table, worked out by hand. One USD is 1,000,000,000 nanos, so a price of `p` USD per million tokens is
 * `p × 1,000` nanos per token: haiku's input is 100 nanos a token, its output 500.
 */
describe("what a call costs, to the nano", () => {
  test.each<[string, string, Partial<Usage>, bigint]>([
    // Each class alone, one token. Haiku's cache read: 0.01 USD/M = 10 nanos.
    ["haiku, input", HAIKU, { inputTokens: 1 }, 100n],
    ["haiku, output", HAIKU, { outputTokens: 1 }, 500n],
    ["haiku, 5-minute cache write", HAIKU, { cacheWrite5mTokens: 1 }, 125n],
    ["haiku, 1-hour cache write", HAIKU, { cacheWrite1hTokens: 1 }, 200n],
    ["haiku, cache read", HAIKU, { cacheReadTokens: 1 }, 10n],
    ["sonnet, input", SONNET, { inputTokens: 1 }, 2_000n],
    ["sonnet, output", SONNET, { outputTokens: 1 }, 10_000n],
    ["sonnet, 5-minute cache write", SONNET, { cacheWrite5mTokens: 1 }, 2_500n],
    ["sonnet, 1-hour cache write", SONNET, { cacheWrite1hTokens: 1 }, 4_000n],
    ["sonnet, cache read", SONNET, { cacheReadTokens: 1 }, 100n],
    ["opus, input", OPUS, { inputTokens: 1 }, 4_000n],
    ["opus, output", OPUS, { outputTokens: 1 }, 20_000n],
    ["opus, 5-minute cache write", OPUS, { cacheWrite5mTokens: 1 }, 5_000n],
    ["opus, 1-hour cache write", OPUS, { cacheWrite1hTokens: 1 }, 8_000n],
    ["opus, cache read", OPUS, { cacheReadTokens: 1 }, 200n],
    ["fable, one of each class", FABLE, each(1), 10_000n + 50_000n + 12_500n + 20_000n + 250n],
    ["sonnet 5, one of each class", "claude-sonnet-5", each(1), 2_000n + 10_000n + 2_500n + 4_000n + 200n],
    ["opus 5, one of each class", "claude-opus-5", each(1), 5_000n + 25_000n + 6_250n + 10_000n + 500n],
    ["haiku 4.5, one of each class", "claude-haiku-4-5", each(1), 1_000n + 5_000n + 1_250n + 2_000n + 100n],

    // 1,200 × 2,000 + 340 × 10,000 = 2,400,000 + 3,400,000.
    ["an ordinary sonnet call", SONNET, { inputTokens: 1_200, outputTokens: 340 }, 5_800_000n],
    ["nothing used", SONNET, {}, 0n],

    // The band is chosen by the whole prompt: 100,000 × 100 = 10,000,000 and 100,001 × 500 = 50,000,500.
    ["haiku, 100,000 tokens", HAIKU, { inputTokens: 100_000 }, 10_000_000n],
    ["haiku, 100,001 tokens", HAIKU, { inputTokens: 100_001 }, 50_000_500n],
    // Output does not count for the band: 100,000 × 100 + 50,000 × 500.
    ["haiku, 100,000 in, 50,000 out", HAIKU, { inputTokens: 100_000, outputTokens: 50_000 }, 35_000_000n],
    // Cached tokens do: 50,000 + 30,000 + 15,000 + 5,000 = 100,000, so the low band:
    // 50,000 × 100 + 30,000 × 10 + 15,000 × 125 + 5,000 × 200 = 5,000,000 + 300,000 + 1,875,000 + 1,000,000.
    ["haiku, 100,000 tokens with cached ones", HAIKU, cached(50_000), 8_175_000n],
    // One more, so the high band for all of them:
    // 50,001 × 500 + 30,000 × 50 + 15,000 × 625 + 5,000 × 1,000 = 25,000,500 + 1,500,000 + 9,375,000 + 5,000,000.
    ["haiku, 100,001 tokens with cached ones", HAIKU, cached(50_001), 40_875_500n],
    // Output in the high band: 200,000 × 500 + 1,000 × 2,500.
    ["haiku, 200,000 in, 1,000 out", HAIKU, { inputTokens: 200_000, outputTokens: 1_000 }, 102_500_000n],
    ["sonnet has one band", SONNET, { inputTokens: 100_001 }, 200_002_000n],

    // Batch is half: 5,800,000 / 2.
    ["sonnet in a batch", SONNET, { inputTokens: 1_200, outputTokens: 340, batch: true }, 2_900_000n],
    // US only is 1.1 times: 5,800,000 × 1.1.
    ["sonnet in the US", SONNET, { inputTokens: 1_200, outputTokens: 340, usOnly: true }, 6_380_000n],
    [
      "sonnet in a batch in the US",
      SONNET,
      { inputTokens: 1_200, outputTokens: 340, batch: true, usOnly: true },
      3_190_000n,
    ],
    // Rounded up once, at the end: 3 × 125 = 375, halved 187.5; × 1.1 = 206.25.
    ["half a nano is rounded up", HAIKU, { cacheWrite5mTokens: 3, batch: true }, 188n],
    ["rounded once, not for each factor", HAIKU, { cacheWrite5mTokens: 3, batch: true, usOnly: true }, 207n],

    // Fast mode: 1,000 × 8,000 + 100 × 40,000.
    ["opus, fast", OPUS, { inputTokens: 1_000, outputTokens: 100, fast: true }, 12_000_000n],
    ["opus, fast, in the US", OPUS, { inputTokens: 1_000, outputTokens: 100, fast: true, usOnly: true }, 13_200_000n],
  ])("%s", (_, model, usage, expected) => {
    expect(cost(model, usage)).toBe(expected);
  });

  test.each<[string, string, Partial<Usage>, string]>([
    [
      "fast mode of a model without one",
      SONNET,
      { inputTokens: 1, fast: true },
      "the price of fast mode of claude-sonnet-5-5 is not known",
    ],
    [
      "cache reads in fast mode",
      OPUS,
      { inputTokens: 1, cacheReadTokens: 1, fast: true },
      "the price of cache reads of claude-opus-5-5 is not known",
    ],
  ])("%s has no price, and is never guessed", (_, model, usage, message) => {
    expect(() => cost(model, usage)).toThrow(new UnknownPriceError(message));
  });
});

describe("rates by date", () => {
  const change = Date.parse("2026-10-07T00:00:00Z");

  test("sonnet's cache reads are 200 nanos until the change and 100 from its first millisecond", () => {
    expect(cost(SONNET, { cacheReadTokens: 1 }, change - 1)).toBe(200n);
    expect(cost(SONNET, { cacheReadTokens: 1 }, change)).toBe(100n);
    expect(cost(SONNET, { inputTokens: 1 }, change - 1)).toBe(cost(SONNET, { inputTokens: 1 }, change));
  });

  test.each([
    [HAIKU, "2026-10-07"],
    [SONNET, "2026-09-28"],
    [OPUS, "2026-09-22"],
    [FABLE, "2026-09-01"],
  ])("%s has no price before its first day, %s", (model, day) => {
    const first = Date.parse(`${day}T00:00:00Z`);
    expect(rateAt(rates(), model, first - 1)).toBe(null);
    expect(rateAt(rates(), model, first)?.model).toBe(model);
  });

  test("at any time a model has at most one rate, and its periods leave no gap", () => {
    for (const id of new Set(rates().map((rate) => rate.model))) {
      const periods = rates()
        .filter((rate) => rate.model === id)
        .toSorted((left, right) => left.fromMs - right.fromMs);
      expect(periods.map((period) => period.untilMs)).toEqual([
        ...periods.slice(1).map((period) => period.fromMs),
        null,
      ]);
    }
  });

  test("bands rise to an open one, and every price is above nought", () => {
    for (const { bands } of rates()) {
      const limits = bands.map((band) => band.promptTokensMax ?? Infinity);
      expect(limits).toEqual([...new Set(limits)].toSorted((left, right) => left - right));
      expect(limits.at(-1)).toBe(Infinity);
      for (const { promptTokensMax: _, ...prices } of bands)
        for (const price of Object.values(prices)) expect(price).toBeGreaterThan(0n);
    }
  });
});

describe("models", () => {
  test.each([
    "claude-fable-5-2",
    "claude-sonnet",
    "claude-sonnet-5-5-20260928",
    "claude-opus-4",
    "claude-haiku-5",
    "Claude-Haiku-5-5",
    " claude-haiku-5-5",
    "constructor",
    "",
  ])("%j has no price: neither unknown models nor prefixes match", (id) => {
    expect(rateAt(rates(), id, NOVEMBER)).toBe(null);
  });

  test("sonnet 5 is not priced as sonnet 5.5", () => {
    const cacheRead = (model: string) => rateOf(model).bands[0]?.cacheRead;
    expect([cacheRead("claude-sonnet-5"), cacheRead(SONNET)]).toEqual([200_000_000n, 100_000_000n]);
    expect(formatMoney(costOf(rateOf(HAIKU), { ...NO_USAGE, inputTokens: 1_000_000, outputTokens: 0 }))).toBe("0.50");
  });
});

describe("tiers", () => {
  test("rise in price, and every model of each has a price today", () => {
    const models = tierIds.map((id) => tier(id)?.models ?? []);
    for (const id of models.flat()) expect(rateAt(rates(), id, NOVEMBER)?.provider).toBe("anthropic");
    const output = models.map(([first = ""]) => rateOf(first).bands[0]?.output ?? 0n);
    expect(output).toEqual([500_000_000n, 10_000_000_000n, 20_000_000_000n]);
  });

  test("later tiers are tried less often and waited for longer", () => {
    const all = tierIds.map((id) => tier(id));
    expect(all.map((each) => each?.attemptsMaxDefault)).toEqual([3, 2, 1]);
    expect(all.map((each) => each?.timeoutMs)).toEqual([30_000, 60_000, 120_000]);
    for (const each of all) expect(each?.timeNeededMs).toBeLessThan(each?.timeoutMs ?? 0);
  });

  test.each(["", "Fast", "toString", "__proto__"])("%j is no tier", (id) => {
    expect(tier(id)).toBe(null);
    expect(isTierId(id)).toBe(false);
  });
});

function each(tokens: number): Partial<Usage> {
  return {
    inputTokens: tokens,
    outputTokens: tokens,
    cacheWrite5mTokens: tokens,
    cacheWrite1hTokens: tokens,
    cacheReadTokens: tokens,
  };
}

function cached(inputTokens: number): Partial<Usage> {
  return { inputTokens, cacheReadTokens: 30_000, cacheWrite5mTokens: 15_000, cacheWrite1hTokens: 5_000 };
}
