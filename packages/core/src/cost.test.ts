import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  costOf,
  NO_USAGE,
  outputTokensThatFit,
  type Rate,
  rateAt,
  UnknownPriceError,
  type Usage,
  worstCaseCost,
} from "./cost.ts";
import { add, nanos } from "./money.ts";

const MILLION = 1_000_000n;

function rate(over: Partial<Rate> = {}): Rate {
  return { model: "m", provider: "p", fromMs: 0, untilMs: null, bands: [band(null, 2_000n)], fast: null, ...over };
}

/** Prices in the usual proportions; `input` in nanos per token. */
function band(promptTokensMax: number | null, input: bigint): Rate["bands"][number] {
  const per = (price: bigint): bigint => price * MILLION;
  return {
    promptTokensMax,
    input: per(input),
    output: per(input * 5n),
    cacheWrite5m: per((input * 5n) / 4n),
    cacheWrite1h: per(input * 2n),
    cacheRead: per(input / 10n),
  };
}

const twoBands = rate({ bands: [band(100_000, 100n), band(null, 500n)] });
/** A price list that rewards large prompts: the worst case of "at most 100,001 tokens" is the smaller prompt. */
const cheaperAbove = rate({ bands: [band(100_000, 500n), band(null, 100n)] });

describe("rateAt", () => {
  const periods = [
    rate({ fromMs: 1_000, untilMs: 2_000, provider: "old" }),
    rate({ fromMs: 2_000, untilMs: null, provider: "new" }),
    rate({ model: "m-5", provider: "other" }),
  ];

  test.each<[string, number, string | null]>([
    ["m", 999, null],
    ["m", 1_000, "old"],
    ["m", 1_999, "old"],
    ["m", 2_000, "new"],
    ["m", Number.MAX_SAFE_INTEGER, "new"],
    ["m-5", 1_500, "other"],
    ["m-5-5", 1_500, null],
    ["m-", 1_500, null],
    ["", 1_500, null],
  ])("%s at %s: %s", (model, atMs, provider) => {
    expect(rateAt(periods, model, atMs)?.provider ?? null).toBe(provider);
  });
});

describe("costOf", () => {
  test.each<[string, Rate, Partial<Usage>]>([
    ["a cache class", rate({ bands: [{ ...band(null, 100n), cacheRead: null }] }), { cacheReadTokens: 1 }],
    ["a cache class", rate({ bands: [{ ...band(null, 100n), cacheWrite5m: null }] }), { cacheWrite5mTokens: 1 }],
    ["a cache class", rate({ bands: [{ ...band(null, 100n), cacheWrite1h: null }] }), { cacheWrite1hTokens: 1 }],
    ["fast mode", rate(), { inputTokens: 1, fast: true }],
    ["cached tokens in fast mode", rate({ fast: { input: 1n, output: 1n } }), { cacheReadTokens: 1, fast: true }],
    ["prompts beyond the last band", rate({ bands: [band(10, 1n)] }), { inputTokens: 11 }],
    ["anything, without bands", rate({ bands: [] }), {}],
  ])("refuses %s without a known price", (_, each, usage) => {
    expect(() => costOf(each, { ...NO_USAGE, ...usage })).toThrow(UnknownPriceError);
  });

  test("a class whose price is not known costs nothing while it is not used", () => {
    const partly = rate({ bands: [{ ...band(null, 100n), cacheRead: null, cacheWrite5m: null, cacheWrite1h: null }] });
    expect(costOf(partly, { ...NO_USAGE, inputTokens: 3 })).toBe(300n);
  });

  test("fast mode has its own price, whatever the prompt's size", () => {
    const fast = { ...twoBands, fast: { input: 7n * MILLION, output: 9n * MILLION } };
    expect(costOf(fast, { ...NO_USAGE, inputTokens: 200_000, outputTokens: 10, fast: true })).toBe(1_400_090n);
  });

  test("fractions of a nano are rounded up, once", () => {
    const dust = rate({ bands: [{ ...band(null, 1n), input: 1n, output: 1n }] });
    expect(costOf(dust, { ...NO_USAGE, inputTokens: 1 })).toBe(1n);
    expect(costOf(dust, { ...NO_USAGE, inputTokens: 500_000, outputTokens: 500_000 })).toBe(1n);
    expect(costOf(dust, { ...NO_USAGE, inputTokens: 500_001, outputTokens: 500_000 })).toBe(2n);
  });

  test.each([-1, 0.5, Number.NaN])("%s tokens are no usage: it throws instead of guessing", (inputTokens) => {
    expect(() => costOf(rate(), { ...NO_USAGE, inputTokens })).toThrow(RangeError);
  });

  const tokens = fc.nat({ max: 20_000 });
  const modes = fc.record({ batch: fc.boolean(), usOnly: fc.boolean() });
  const counts = fc.record({
    inputTokens: tokens,
    outputTokens: fc.nat({ max: 1_000_000 }),
    cacheReadTokens: tokens,
    cacheWrite5mTokens: tokens,
    cacheWrite1hTokens: tokens,
  });

  test("two calls cost what one with the tokens of both costs, within a band and up to the rounding of a nano", () => {
    fc.assert(
      fc.property(counts, counts, modes, (left, right, mode) => {
        const both = costOf(twoBands, { ...NO_USAGE, ...mode, ...total(left, right) });
        const apart = add(
          costOf(twoBands, { ...NO_USAGE, ...left, ...mode }),
          costOf(twoBands, { ...NO_USAGE, ...right, ...mode }),
        );
        const pairFits = promptOf(total(left, right)) <= 100_000;
        expect(pairFits ? apart - both >= 0n && apart - both <= 1n : both >= apart).toBe(true);
      }),
    );
  });

  test("more tokens of any class never cost less", () => {
    fc.assert(
      fc.property(counts, counts, modes, (usage, more, mode) => {
        const less = costOf(twoBands, { ...NO_USAGE, ...usage, ...mode });
        expect(costOf(twoBands, { ...NO_USAGE, ...total(usage, more), ...mode }) >= less).toBe(true);
      }),
    );
  });

  test("a batch is never dearer and the US never cheaper", () => {
    fc.assert(
      fc.property(counts, (usage) => {
        const plain = costOf(twoBands, { ...NO_USAGE, ...usage });
        expect(costOf(twoBands, { ...NO_USAGE, ...usage, batch: true }) <= plain).toBe(true);
        expect(costOf(twoBands, { ...NO_USAGE, ...usage, usOnly: true }) >= plain).toBe(true);
      }),
    );
  });
});

describe("the worst case", () => {
  const anyRate = fc.constantFrom(rate(), twoBands, cheaperAbove);
  const prompt = fc.oneof(fc.nat({ max: 300_000 }), fc.constantFrom(0, 1, 99_999, 100_000, 100_001));
  const output = fc.nat({ max: 200_000 });

  test("is at least what any call within the limits costs", () => {
    fc.assert(
      fc.property(anyRate, prompt, output, fc.nat(), fc.nat(), fc.nat(), (each, promptMax, outputMax, a, b, c) => {
        const used = a % (promptMax + 1);
        const fromCache = b % (used + 1);
        const usage = { inputTokens: used - fromCache, cacheReadTokens: fromCache, outputTokens: c % (outputMax + 1) };
        expect(costOf(each, { ...NO_USAGE, ...usage }) <= worstCaseCost(each, promptMax, outputMax)).toBe(true);
      }),
    );
  });

  test("is the smaller prompt where larger ones are cheaper", () => {
    expect(worstCaseCost(cheaperAbove, 100_001, 0)).toBe(50_000_000n);
    expect(worstCaseCost(cheaperAbove, 100_000, 0)).toBe(50_000_000n);
    expect(worstCaseCost(twoBands, 100_001, 0)).toBe(50_000_500n);
  });

  test("outputTokensThatFit is its inverse: that many fit, one more does not", () => {
    fc.assert(
      fc.property(anyRate, prompt, fc.bigInt({ min: 0n, max: 10n ** 10n }), (each, promptMax, budget) => {
        const fit = outputTokensThatFit(each, promptMax, nanos(budget));
        const promptFits = worstCaseCost(each, promptMax, 0) <= budget;
        expect(promptFits ? worstCaseCost(each, promptMax, fit) <= budget : fit === 0).toBe(true);
        expect(worstCaseCost(each, promptMax, fit + 1) > budget).toBe(true);
      }),
    );
  });

  test("outputTokensThatFit finds exactly the limit that a worst case was made of", () => {
    fc.assert(
      fc.property(anyRate, prompt, output, (each, promptMax, outputMax) => {
        expect(outputTokensThatFit(each, promptMax, worstCaseCost(each, promptMax, outputMax))).toBe(outputMax);
      }),
    );
  });

  test("nothing fits into nothing, or into a debt", () => {
    expect(outputTokensThatFit(rate(), 10, nanos(0n))).toBe(0);
    expect(outputTokensThatFit(rate(), 0, nanos(-1n))).toBe(0);
  });
});

type Counts = Pick<
  Usage,
  "inputTokens" | "outputTokens" | "cacheReadTokens" | "cacheWrite5mTokens" | "cacheWrite1hTokens"
>;

function total(left: Counts, right: Counts): Counts {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    cacheReadTokens: left.cacheReadTokens + right.cacheReadTokens,
    cacheWrite5mTokens: left.cacheWrite5mTokens + right.cacheWrite5mTokens,
    cacheWrite1hTokens: left.cacheWrite1hTokens + right.cacheWrite1hTokens,
  };
}

function promptOf(counts: Counts): number {
  return counts.inputTokens + counts.cacheReadTokens + counts.cacheWrite5mTokens + counts.cacheWrite1hTokens;
}
