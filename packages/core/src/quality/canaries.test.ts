import { describe, expect, test } from "vitest";
import { CANARIES_MIN, letsTooMuchThrough, shareLetThrough } from "./canaries.ts";

describe("with a limit of 20 %, a judge", () => {
  test.each([
    // Lower bounds of the exact interval, from a table: 5 of 5 is at least 47.8 %, 4 of 5 28.4 %, 3 of 5 14.7 %.
    [5, 5, true],
    [5, 4, true],
    [5, 3, false],
    [10, 5, false],
    [10, 6, true],
    [100, 20, false],
    [100, 28, false],
    [100, 30, true],
    [200, 0, false],
  ])("that was asked %i times and let %i through is suspended: %s", (asked, passed, suspended) => {
    expect(letsTooMuchThrough({ asked, passed }, 0.2)).toBe(suspended);
  });
});

test("nothing is concluded from fewer than five, even without any tolerance", () => {
  expect(letsTooMuchThrough({ asked: CANARIES_MIN - 1, passed: CANARIES_MIN - 1 }, 0)).toBe(false);
  expect(letsTooMuchThrough({ asked: CANARIES_MIN, passed: 1 }, 0)).toBe(true);
});

test("before the first known-bad answer there is no share", () => {
  expect(shareLetThrough({ asked: 0, passed: 0 })).toBeNull();
  expect(shareLetThrough({ asked: 5, passed: 5 })?.low).toBeCloseTo(0.025 ** (1 / 5), 12);
});
