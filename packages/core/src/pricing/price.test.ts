import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanos, ZERO } from "../money.ts";
import { holdFor, price, type PricedOutcome, type PriceTerms } from "./price.ts";

const DOLLAR = nanos(1_000_000_000n);
const tiered: PriceTerms = {
  shape: "tiered",
  amount: DOLLAR,
  bands: [
    { fromScore: 0.5, fraction: 0.5 },
    { fromScore: 0.9, fraction: 1 },
    { fromScore: 0.99, fraction: 1.5 },
  ],
};

describe("binary: all or nothing", () => {
  test.each<[PricedOutcome["resolution"], number, bigint]>([
    ["success", 1, 1_000_000_000n],
    ["success", 0.9, 1_000_000_000n],
    ["partial", 0.8, 0n],
    ["failure", 1, 0n],
  ])("a %s with a score of %s costs %s", (resolution, score, expected) => {
    expect(price({ shape: "binary", amount: DOLLAR }, { resolution, score })).toBe(expected);
  });

  test("the whole amount is held", () => {
    expect(holdFor({ shape: "binary", amount: DOLLAR })).toBe(DOLLAR);
  });
});

describe("tiered: a fraction for each band of the score", () => {
  test.each<[PricedOutcome["resolution"], number, bigint]>([
    ["success", 1, 1_500_000_000n],
    ["success", 0.99, 1_500_000_000n],
    ["success", 0.989999, 1_000_000_000n],
    ["success", 0.9, 1_000_000_000n],
    ["partial", 0.899999, 500_000_000n],
    ["partial", 0.5, 500_000_000n],
    ["partial", 0.499999, 0n],
    ["failure", 0.95, 0n],
  ])("a %s with a score of %s costs %s", (resolution, score, expected) => {
    expect(price(tiered, { resolution, score })).toBe(expected);
  });

  test("the dearest band is held, and without bands nothing is", () => {
    expect(holdFor(tiered)).toBe(1_500_000_000n);
    expect(holdFor({ ...tiered, bands: [] })).toBe(ZERO);
    expect(price({ ...tiered, bands: [] }, { resolution: "success", score: 1 })).toBe(ZERO);
  });
});

describe("every shape", () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(nanos);
  const steps = fc.array(
    fc.record({ score: fc.integer({ min: 0, max: 100 }), fraction: fc.integer({ min: 0, max: 300 }) }),
  );
  const bands = steps.map((raw) => {
    const fractions = raw.map((step) => step.fraction / 100).toSorted((left, right) => left - right);
    const scores = raw.map((step) => step.score / 100).toSorted((left, right) => left - right);
    return scores.map((fromScore, index) => ({ fromScore, fraction: fractions[index] ?? 0 }));
  });
  const terms = fc.oneof(
    fc.record({ shape: fc.constant("binary" as const), amount }),
    fc.record({ shape: fc.constant("tiered" as const), amount, bands }),
  );
  const score = fc.double({ min: 0, max: 1, noNaN: true });

  test("never costs less than nothing or more than what is held", () => {
    fc.assert(
      fc.property(terms, fc.constantFrom("success", "partial", "failure"), score, (each, resolution, value) => {
        const charged = price(each, { resolution, score: value });
        expect(charged >= 0n && charged <= holdFor(each)).toBe(true);
      }),
    );
  });

  test("a failure is free, and a better score is never cheaper", () => {
    fc.assert(
      fc.property(terms, score, score, (each, left, right) => {
        expect(price(each, { resolution: "failure", score: right })).toBe(ZERO);
        const worse = price(each, { resolution: "success", score: Math.min(left, right) });
        expect(price(each, { resolution: "success", score: Math.max(left, right) }) >= worse).toBe(true);
      }),
    );
  });
});
