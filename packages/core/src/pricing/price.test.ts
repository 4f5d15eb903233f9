import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanos, type Nanos, ZERO } from "../money.ts";
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
const linear: PriceTerms = {
  shape: "linear",
  amount: DOLLAR,
  floor: nanos(250_000_000n),
  ceiling: nanos(950_000_000n),
};
/** 2 %, from 1 to 50 dollars. */
const value: PriceTerms = {
  shape: "value",
  rate: 0.02,
  path: "/recovered",
  min: DOLLAR,
  max: nanos(50_000_000_000n),
};

function scored(resolution: PricedOutcome["resolution"], score: number): PricedOutcome {
  return { resolution, score, value: null };
}

describe("binary: all or nothing", () => {
  test.each<[PricedOutcome["resolution"], number, bigint]>([
    ["success", 1, 1_000_000_000n],
    ["success", 0.9, 1_000_000_000n],
    ["partial", 0.8, 0n],
    ["failure", 1, 0n],
  ])("a %s with a score of %s costs %s", (resolution, score, expected) => {
    expect(price({ shape: "binary", amount: DOLLAR }, scored(resolution, score))).toBe(expected);
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
    expect(price(tiered, scored(resolution, score))).toBe(expected);
  });

  test("the dearest band is held, and without bands nothing is", () => {
    expect(holdFor(tiered)).toBe(1_500_000_000n);
    expect(holdFor({ ...tiered, bands: [] })).toBe(ZERO);
    expect(price({ ...tiered, bands: [] }, scored("success", 1))).toBe(ZERO);
  });
});

describe("linear: in proportion to the score", () => {
  test.each<[PricedOutcome["resolution"], number, bigint]>([
    ["success", 0.9, 900_000_000n],
    ["success", 0.951, 950_000_000n],
    ["success", 1, 950_000_000n],
    ["partial", 0.6, 600_000_000n],
    ["partial", 0.2, 250_000_000n],
    ["failure", 0.6, 0n],
  ])("a %s with a score of %s costs %s", (resolution, score, expected) => {
    expect(price(linear, scored(resolution, score))).toBe(expected);
  });

  test("the ceiling is held, or the amount where that is less", () => {
    expect(holdFor(linear)).toBe(950_000_000n);
    expect(holdFor({ ...linear, amount: nanos(300_000_000n) })).toBe(300_000_000n);
  });

  test("a floor above the ceiling does not lift the price above it", () => {
    const contradictory = { ...linear, floor: nanos(2_000_000_000n) };
    expect(price(contradictory, scored("success", 0.5))).toBe(950_000_000n);
    expect(holdFor(contradictory)).toBe(950_000_000n);
  });
});

describe("value: a share of a number that the outcome carries", () => {
  test.each<[PricedOutcome["resolution"], bigint | null, bigint]>([
    ["success", 200_000_000_000n, 4_000_000_000n],
    ["success", 2_500_000_000_000n, 50_000_000_000n],
    ["success", 2_500_000_000_050n, 50_000_000_000n],
    ["success", 50_000_000_149n, 1_000_000_002n],
    ["success", 1_000_000_000n, 1_000_000_000n],
    ["success", 0n, 1_000_000_000n],
    ["success", -200_000_000_000n, 1_000_000_000n],
    ["success", null, 1_000_000_000n],
    ["partial", 200_000_000_000n, 0n],
    ["failure", 200_000_000_000n, 0n],
  ])("a %s that carries %s costs %s", (resolution, carried, expected) => {
    expect(price(value, { resolution, score: 1, value: carried === null ? null : nanos(carried) })).toBe(expected);
  });

  test("the maximum is held", () => {
    expect(holdFor(value)).toBe(50_000_000_000n);
  });

  test("without a minimum, nothing costs nothing", () => {
    expect(price({ ...value, min: ZERO }, scored("success", 1))).toBe(ZERO);
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
  const terms: fc.Arbitrary<PriceTerms> = fc.oneof(
    fc.record({ shape: fc.constant("binary" as const), amount }),
    fc.record({ shape: fc.constant("tiered" as const), amount, bands }),
    // Floors above ceilings and minima above maxima are refused when they are published; a price must be safe all the same.
    fc.record({ shape: fc.constant("linear" as const), amount, floor: amount, ceiling: amount }),
    fc.record({
      shape: fc.constant("value" as const),
      rate: fc.integer({ min: 0, max: 10_000_000 }).map((millionths) => millionths / 1_000_000),
      path: fc.constant("/value"),
      min: amount,
      max: amount,
    }),
  );
  const score = fc.double({ min: 0, max: 1, noNaN: true });
  const signed = fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(nanos);
  const carried: fc.Arbitrary<Nanos | null> = fc.option(signed, { nil: null });
  const resolution = fc.constantFrom("success" as const, "partial" as const, "failure" as const);
  const outcome: fc.Arbitrary<PricedOutcome> = fc.record({ resolution, score, value: carried });

  test("never costs less than nothing or more than what is held", () => {
    fc.assert(
      fc.property(terms, outcome, (each, what) => {
        const charged = price(each, what);
        expect(charged >= 0n && charged <= holdFor(each)).toBe(true);
      }),
    );
  });

  test("a failure is free, whatever its score and its value", () => {
    fc.assert(
      fc.property(terms, outcome, (each, what) => {
        expect(price(each, { ...what, resolution: "failure" })).toBe(ZERO);
      }),
    );
  });

  test("a better score is never cheaper", () => {
    fc.assert(
      fc.property(terms, outcome, score, (each, what, other) => {
        const worse = price(each, { ...what, score: Math.min(what.score, other) });
        expect(price(each, { ...what, score: Math.max(what.score, other) }) >= worse).toBe(true);
      }),
    );
  });

  test("a larger value is never cheaper, and none is worth nothing", () => {
    fc.assert(
      fc.property(terms, outcome, signed, signed, (each, what, left, right) => {
        const [less, more] = left < right ? [left, right] : [right, left];
        expect(price(each, { ...what, value: more }) >= price(each, { ...what, value: less })).toBe(true);
        expect(price(each, { ...what, value: null })).toBe(price(each, { ...what, value: ZERO }));
      }),
    );
  });

  test("a success is never cheaper than a partial outcome of the same score and value", () => {
    fc.assert(
      fc.property(terms, outcome, (each, what) => {
        const partial = price(each, { ...what, resolution: "partial" });
        expect(price(each, { ...what, resolution: "success" }) >= partial).toBe(true);
      }),
    );
  });

  test("depends on the terms and on resolution, score and value: on nothing else, and never on an earlier price", () => {
    fc.assert(
      fc.property(terms, outcome, terms, outcome, (each, what, otherTerms, other) => {
        const first = price(each, what);
        price(otherTerms, other);
        const more = { ...structuredClone(what), findings: ["x"], attempts: 3, cost: nanos(7n) };
        expect(price(structuredClone(each), more)).toBe(first);
      }),
    );
  });

  test("by score or by verdict alone does not look at the value, and by value not at the score", () => {
    fc.assert(
      fc.property(terms, outcome, outcome, (each, what, other) => {
        const ignored = each.shape === "value" ? { score: other.score } : { value: other.value };
        expect(price(each, { ...what, ...ignored })).toBe(price(each, what));
      }),
    );
  });
});
