/** Hazard: a discount that charges more, pays a customer out, or depends on the order of the lines. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, type Nanos, nanos, negate, share, subtract, sum, ZERO } from "../../money.ts";
import { type CustomerTerms, type PeriodBands, periodTermsFor, priceTermsFor } from "./customer-terms.ts";
import { type LineToRate, rateLine } from "./rate-line.ts";
import { rateStatement, roundToMinorUnit } from "./rate-statement.ts";

const LIST: CustomerTerms = {
  prices: {},
  outcomeTypes: {},
  discountShare: 0,
  discountFixed: ZERO,
  commitmentMinimum: ZERO,
};
const DOLLAR = nanos(1_000_000_000n);

function termsOf(period: { readonly allowance?: number; readonly bands?: PeriodBands | null }, off = 0): CustomerTerms {
  const { allowance = 0, bands = null } = period;
  return { ...LIST, outcomeTypes: { letters: { allowance, bands } }, discountShare: off };
}

function line(ordinal: number, total = ordinal, price: Nanos = DOLLAR): LineToRate {
  return { outcomeType: "letters", ordinal, total, price };
}

const BANDS: PeriodBands["bands"] = [
  { fromOutcome: 3, fraction: 0.8 },
  { fromOutcome: 5, fraction: 0.5 },
];

const amount = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(nanos);
const fraction = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
const count = fc.integer({ min: 1, max: 40 });
const bands = fc
  .tuple(fc.uniqueArray(count, { maxLength: 5 }), fc.array(fraction, { minLength: 5, maxLength: 5 }))
  .map(([starts, fractions]) =>
    starts
      .toSorted((left, right) => left - right)
      .map((fromOutcome, i) => ({ fromOutcome, fraction: fractions[i] ?? 1 })),
  );
const mode = fc.constantFrom("graduated" as const, "volume" as const);
const period = fc.record({
  allowance: fc.nat(40),
  bands: fc.option(fc.record({ mode, bands }), { nil: null }),
});
const terms = fc.tuple(period, fraction).map(([each, off]) => termsOf(each, off));
const lines = fc
  .tuple(count, count, amount)
  .map(([left, right, price]) => line(Math.min(left, right), Math.max(left, right), price));

describe("a line", () => {
  test("without terms of its own is its price", () => {
    expect(rateLine(LIST, line(7))).toEqual({ allowance: ZERO, bands: ZERO, discount: ZERO, net: DOLLAR });
  });

  test("within the allowance is free, and the next one is not", () => {
    const free = termsOf({ allowance: 2 }, 0.1);
    expect(rateLine(free, line(2))).toEqual({ allowance: DOLLAR, bands: ZERO, discount: ZERO, net: ZERO });
    expect(rateLine(free, line(3))).toMatchObject({ allowance: ZERO, discount: 100_000_000n, net: 900_000_000n });
  });

  test("shows each reduction of what the one before has left", () => {
    const rated = rateLine(termsOf({ allowance: 1, bands: { mode: "graduated", bands: BANDS } }, 0.25), line(4));
    expect(rated).toEqual({ allowance: ZERO, bands: 200_000_000n, discount: 200_000_000n, net: 600_000_000n });
  });

  test.each<[number, bigint]>([
    [1, 1_000_000_000n],
    [2, 1_000_000_000n],
    [3, 800_000_000n],
    [4, 800_000_000n],
    [5, 500_000_000n],
  ])("in graduated bands pays by its own number: %s pays %s", (ordinal, net) => {
    expect(rateLine(termsOf({ bands: { mode: "graduated", bands: BANDS } }), line(ordinal, 90)).net).toBe(net);
  });

  test.each<[number, bigint]>([
    [2, 1_000_000_000n],
    [3, 800_000_000n],
    [5, 500_000_000n],
  ])("in volume bands pays by the period's total: of %s each pays %s", (total, net) => {
    expect(rateLine(termsOf({ bands: { mode: "volume", bands: BANDS } }), line(1, total)).net).toBe(net);
  });

  test("is not reduced by what was agreed for another outcome type", () => {
    const agreed = termsOf({ allowance: 9 });
    expect(rateLine(agreed, { ...line(1), outcomeType: "invoices" }).net).toBe(DOLLAR);
    expect(rateLine(agreed, { ...line(1), outcomeType: "constructor" }).net).toBe(DOLLAR);
  });

  test("comes to its price: what is taken off and what is left, none of it negative", () => {
    fc.assert(
      fc.property(terms, lines, (agreed, each) => {
        const { allowance, bands: banded, discount, net } = rateLine(agreed, each);
        expect(sum([allowance, banded, discount, net])).toBe(each.price);
        expect([allowance, banded, discount, net].every((part) => part >= 0n)).toBe(true);
      }),
    );
  });

  test("never costs more under more generous terms", () => {
    fc.assert(
      fc.property(period, fraction, fraction, fc.nat(5), lines, (each, off, more, free, rated) => {
        const net = rateLine(termsOf(each, off), rated).net;
        const cheaper = each.bands?.bands.map((band) => ({ ...band, fraction: band.fraction * more })) ?? [];
        const generous = [
          termsOf(each, Math.max(off, more)),
          termsOf({ ...each, allowance: each.allowance + free }, off),
          termsOf({ ...each, bands: each.bands === null ? null : { ...each.bands, bands: cheaper } }, off),
        ];
        for (const better of generous) expect(rateLine(better, rated).net <= net).toBe(true);
      }),
    );
  });
});

describe("a period's lines", () => {
  test("in graduated bands of one price come to what the bands' widths say, in whatever order they are rated", () => {
    fc.assert(
      fc.property(bands, count, amount, fc.nat(), (each, total, price, seed) => {
        const agreed = termsOf({ bands: { mode: "graduated", bands: each } });
        const ordinals = Array.from({ length: total }, (_, i) => ((i + seed) % total) + 1);
        const rated = sum(ordinals.map((ordinal) => rateLine(agreed, line(ordinal, total, price)).net));
        expect(rated).toBe(closedForm(each, total, price));
      }),
    );
  });

  test("pay alike in one band from the first outcome on, be it graduated or volume", () => {
    fc.assert(
      fc.property(fraction, lines, (paid, each) => {
        const one = [{ fromOutcome: 1, fraction: paid }];
        const [graduated, volume] = (["graduated", "volume"] as const).map((m) =>
          rateLine(termsOf({ bands: { mode: m, bands: one } }), each),
        );
        expect(graduated).toEqual(volume);
      }),
    );
  });

  test("in volume bands do not depend on their numbers", () => {
    fc.assert(
      fc.property(bands, count, count, amount, (each, ordinal, total, price) => {
        const agreed = termsOf({ bands: { mode: "volume", bands: each } });
        expect(rateLine(agreed, line(ordinal, total, price))).toEqual(rateLine(agreed, line(1, total, price)));
      }),
    );
  });
});

describe("a statement", () => {
  const none = { creditsOfPeriod: ZERO, creditsOfEarlierPeriods: ZERO };
  const agreedSums = fc.record({ discountFixed: amount, commitmentMinimum: amount });
  const sums = fc.tuple(amount, amount, amount).map(([left, right, earlier]) => ({
    net: left > right ? left : right,
    creditsOfPeriod: left > right ? right : left,
    creditsOfEarlierPeriods: earlier,
  }));
  const rated = (discountFixed: bigint, commitmentMinimum: bigint, net: bigint, credits: Partial<typeof none> = {}) =>
    rateStatement(
      { discountFixed: nanos(discountFixed), commitmentMinimum: nanos(commitmentMinimum) },
      { net: nanos(net), ...none, ...credits },
    );

  test.each([
    ["takes the fixed discount off", [30n, 0n, 100n], { fixedDiscount: 30n, commitmentTrueUp: 0n, total: 70n }],
    ["takes off at most what there is", [30n, 0n, 20n], { fixedDiscount: 20n, commitmentTrueUp: 0n, total: 0n }],
    ["is brought up to the minimum", [0n, 100n, 60n], { fixedDiscount: 0n, commitmentTrueUp: 40n, total: 100n }],
    ["is left alone above the minimum", [0n, 100n, 160n], { commitmentTrueUp: 0n, total: 160n }],
    ["counts towards the minimum what discounts leave", [30n, 100n, 110n], { commitmentTrueUp: 20n, total: 100n }],
  ] as const)("%s", (_, [fixed, minimum, net], expected) => {
    expect(rated(fixed, minimum, net)).toMatchObject(expected);
  });

  test("gives a credit in full, even below the minimum: the true-up does not take it back", () => {
    const credited = rated(0n, 100n, 60n, { creditsOfPeriod: nanos(10n) });
    expect(credited).toMatchObject({ commitmentTrueUp: 40n, beforeCredits: 100n, total: 90n });
  });

  test("pays nobody out for a credited outcome that the fixed discount had made free", () => {
    expect(rated(100n, 0n, 100n, { creditsOfPeriod: nanos(100n) })).toMatchObject({ fixedDiscount: 0n, total: 0n });
  });

  test("that a credit of an earlier period exceeds is a balance in the customer's favour", () => {
    expect(rated(0n, 0n, 10n, { creditsOfEarlierPeriods: nanos(25n) }).total).toBe(-15n);
  });

  test("adds up, reaches the minimum before credits, and owes a customer at most the credits of earlier periods", () => {
    fc.assert(
      fc.property(agreedSums, sums, (agreed, each) => {
        const { fixedDiscount, commitmentTrueUp, beforeCredits, credits, total } = rateStatement(agreed, each);
        expect([fixedDiscount, commitmentTrueUp].every((part) => part >= 0n)).toBe(true);
        expect(fixedDiscount <= agreed.discountFixed && fixedDiscount <= each.net).toBe(true);
        expect(add(subtract(each.net, fixedDiscount), commitmentTrueUp)).toBe(beforeCredits);
        expect(beforeCredits >= agreed.commitmentMinimum).toBe(true);
        expect(add(total, credits)).toBe(beforeCredits);
        expect(total >= negate(each.creditsOfEarlierPeriods)).toBe(true);
        expect(commitmentTrueUp === 0n || beforeCredits === agreed.commitmentMinimum).toBe(true);
      }),
    );
  });

  test("never comes to more with a larger discount, a lower minimum or a larger credit", () => {
    fc.assert(
      fc.property(agreedSums, sums, amount, (agreed, each, more) => {
        const { total } = rateStatement(agreed, each);
        const lower = agreed.commitmentMinimum > more ? more : agreed.commitmentMinimum;
        const cheaper = [
          rateStatement({ ...agreed, discountFixed: add(agreed.discountFixed, more) }, each),
          rateStatement({ ...agreed, commitmentMinimum: lower }, each),
          rateStatement(agreed, { ...each, creditsOfEarlierPeriods: add(each.creditsOfEarlierPeriods, more) }),
          rateStatement(agreed, { ...each, creditsOfPeriod: each.net }),
        ];
        for (const better of cheaper) expect(better.total <= total).toBe(true);
      }),
    );
  });

  test("is rounded to cents by at most half a cent, and a credit like a debit", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map(nanos), (total) => {
        const { rounded, rounding } = roundToMinorUnit(total);
        expect(add(total, rounding)).toBe(rounded);
        expect(rounded % 10_000_000n).toBe(0n);
        expect(rounding <= 5_000_000n && rounding >= -5_000_000n).toBe(true);
        expect(roundToMinorUnit(negate(total)).rounded).toBe(negate(rounded));
      }),
    );
  });
});

describe("a customer's price", () => {
  test("stands for the list price of its outcome type, and of no other", () => {
    const list = { shape: "binary", amount: DOLLAR } as const;
    const agreed = { ...LIST, prices: { letters: { shape: "binary", amount: nanos(5n) } as const } };
    expect(priceTermsFor(agreed, "letters", list)).toEqual({ shape: "binary", amount: 5n });
    for (const name of ["invoices", "constructor"]) expect(priceTermsFor(agreed, name, list)).toBe(list);
    expect(periodTermsFor(agreed, "constructor")).toEqual({ allowance: 0, bands: null });
  });
});

/** What so many outcomes of one price come to: per band, its width within the period × what it leaves of the price. */
function closedForm(each: PeriodBands["bands"], total: number, price: Nanos): Nanos {
  const steps = [{ fromOutcome: 1, fraction: 1 }, ...each];
  const parts = steps.map(({ fromOutcome, fraction: paid }, i) => {
    const until = Math.min(steps[i + 1]?.fromOutcome ?? Infinity, total + 1);
    return nanos(share(price, paid) * BigInt(Math.max(until - fromOutcome, 0)));
  });
  return sum(parts);
}
