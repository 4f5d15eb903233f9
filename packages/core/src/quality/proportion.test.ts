import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { atLeast, shareOf } from "./proportion.ts";

/** P(X = k), added up as it is defined. */
function exactly(k: number, n: number, x: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i += 1) ways *= (n - k + i) / i;
  return ways * x ** k * (1 - x) ** (n - k);
}

test("the tail is the sum of its probabilities", () => {
  const cases = fc
    .integer({ min: 1, max: 60 })
    .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n }), fc.double({ min: 0, max: 1, noNaN: true })));
  fc.assert(
    fc.property(cases, ([n, k, x]) => {
      let sum = 0;
      for (let i = k; i <= n; i += 1) sum += exactly(i, n, x);
      expect(atLeast(k, n, x)).toBeCloseTo(sum, 12);
    }),
  );
});

describe("the interval", () => {
  test.each([
    // Of all or none it has a closed form: 0.025 ^ (1/n).
    [10, 10, 0.025 ** 0.1, 1],
    [0, 10, 0, 1 - 0.025 ** 0.1],
    [1, 1, 0.025, 1],
    // R: binom.test(8, 10)
    [8, 10, 0.4439045, 0.9747893],
  ])("of %s of %s is %s to %s", (hits, of, low, high) => {
    const share = shareOf(hits, of);
    expect(share.low).toBeCloseTo(low, 7);
    expect(share.high).toBeCloseTo(high, 7);
    expect(share.point).toBe(hits / of);
  });

  test("of misses is that of hits, mirrored; it holds the point; more hits move both bounds up", () => {
    const cases = fc
      .integer({ min: 1, max: 2_000 })
      .chain((of) => fc.tuple(fc.constant(of), fc.integer({ min: 0, max: of - 1 })));
    fc.assert(
      fc.property(cases, ([of, hits]) => {
        const [share, more, misses] = [shareOf(hits, of), shareOf(hits + 1, of), shareOf(of - hits, of)];
        expect(1 - misses.high).toBeCloseTo(share.low, 12);
        expect(share.low).toBeLessThanOrEqual(share.point);
        expect(share.high).toBeGreaterThanOrEqual(share.point);
        expect(more.low).toBeGreaterThan(share.low);
        expect(more.high).toBeGreaterThan(share.high - 1e-12);
      }),
      { numRuns: 50 },
    );
  });

  // Not simulated: every possible sample is weighed by its probability.
  test.each([
    [30, 0.95],
    [50, 0.99],
    [100, 0.98],
    [300, 0.99],
    [20, 0.5],
  ])("of samples of %s covers a true share of %s in 95 of 100 at least", (n, truth) => {
    let covered = 0;
    for (let k = 0; k <= n; k += 1) {
      const { low, high } = shareOf(k, n);
      if (low <= truth && truth <= high) covered += exactly(k, n, truth);
    }
    expect(covered).toBeGreaterThanOrEqual(0.95);
    // And is not so wide that it says nothing.
    expect(covered).toBeLessThan(0.995);
  });

  test.each([
    [-1, 5],
    [6, 5],
    [0, 0],
    [0.5, 5],
  ])("there is none of %s of %s", (hits, of) => {
    expect(() => shareOf(hits, of)).toThrow(RangeError);
  });
});
