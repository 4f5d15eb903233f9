/** Hazard: a month that begins or ends at another instant than everybody's calendar says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  periodAfter,
  periodAt,
  periodName,
  statementIdOf,
  statementNumber,
  statementSubject,
  yearOf,
} from "@contingent/core/statement/period";

const DAY_MS = 86_400_000;
/** From 1600 to 2999, so that every kind of leap year is met. */
const instant = fc.integer({ min: Date.UTC(1600, 0), max: Date.UTC(3000, 0) - 1 });

describe("a period", () => {
  test("is the calendar's month of UTC, at every instant", () => {
    fc.assert(
      fc.property(instant, (atMs) => {
        const at = new Date(atMs);
        const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
        expect(periodAt(atMs)).toEqual({ startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) });
        expect(periodName(periodAt(atMs))).toBe(at.toISOString().slice(0, 7));
        expect(yearOf(periodAt(atMs))).toBe(year);
      }),
    );
  });

  test("is followed by the next one without a gap, through every month of 400 years", () => {
    let period = periodAt(Date.UTC(1900, 0));
    for (let month = 0; month < 4_800; month += 1) {
      expect(period.startMs).toBe(Date.UTC(1900, month));
      expect(periodAt(period.endMs - 1)).toEqual(period);
      expect(period.endMs - period.startMs).toBeLessThanOrEqual(31 * DAY_MS);
      period = periodAfter(period);
    }
  });
});

describe("a statement's id", () => {
  test("says whose it is and of which period", () => {
    const period = periodAt(Date.UTC(2026, 10, 25));
    expect(statementIdOf("cus_acme", period)).toBe("stm_acme202611");
    fc.assert(
      fc.property(instant, (atMs) => {
        const subject = { customerId: "cus_01kb0c3v5q8w2e4r6t7y9u1i3o", period: periodAt(atMs) } as const;
        expect(statementSubject(statementIdOf(subject.customerId, subject.period))).toEqual(subject);
      }),
    );
  });

  test.each([
    "stm_acme202600",
    "stm_acme202613",
    "stm_202611",
    "stm_abc202611",
    "stm_acme2026",
    "stm_acmexxxxxx",
  ] as const)("%s is nobody's", (id) => {
    expect(statementSubject(id)).toBeNull();
  });
});

test("numbers count within a year, and grow beyond their usual width", () => {
  const november = periodAt(Date.UTC(2026, 10));
  expect(statementNumber(november, 1)).toBe("2026-000001");
  expect(statementNumber(november, 1_234_567)).toBe("2026-1234567");
});
