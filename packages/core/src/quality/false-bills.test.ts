import { describe, expect, test } from "vitest";
import { type DrawnAudit, evenSample, falseBillRateOf, falseBillState, precisionOf } from "./false-bills.ts";

test("before the first audit nothing is known", () => {
  expect(precisionOf({ correct: 0, incorrect: 0 })).toBeNull();
  expect(falseBillState({ correct: 0, incorrect: 0 }, 0.02)).toBe("unmeasured");
});

test("the false-bill rate is what precision leaves, and so are its bounds", () => {
  const counts = { correct: 95, incorrect: 5 };
  const [precision, rate] = [precisionOf(counts), falseBillRateOf(counts)];
  expect(rate?.point).toBe(0.05);
  expect(rate?.low).toBeCloseTo(1 - (precision?.high ?? 0), 12);
  expect(rate?.high).toBeCloseTo(1 - (precision?.low ?? 0), 12);
});

describe("against a maximum of 2 %", () => {
  test.each([
    [{ correct: 100, incorrect: 0 }, "within"],
    [{ correct: 98, incorrect: 2 }, "within"],
    // 3 %, and as little as 0.6 % by chance.
    [{ correct: 97, incorrect: 3 }, "suspected"],
    // 10 %, and 4.9 % at the least.
    [{ correct: 90, incorrect: 10 }, "exceeded"],
  ] as const)("%o is %s", (counts, state) => {
    expect(falseBillState(counts, 0.02)).toBe(state);
  });
});

test("versions that are audited at other rates count by how much they bill, not by how much they are audited", () => {
  // 10,000 outcomes each: the old version audited at 50 % and half wrong, the new one at 5 % and all right.
  const audits = (rate: number, correct: (n: number) => boolean): readonly DrawnAudit[] =>
    Array.from({ length: 10_000 }, (_, n) => ({ draw: n / 10_000, rate, correct: correct(n) })).filter(
      ({ draw }) => draw < rate,
    );
  const both = [...audits(0.5, (n) => n % 2 === 0), ...audits(0.05, () => true)];
  const { correct, incorrect } = evenSample(both);
  expect(correct + incorrect).toBe(1_000);
  expect(incorrect / (correct + incorrect)).toBe(0.25);
  // As they are it would be 2,500 of 5,500.
  expect(both.filter((audit) => !audit.correct).length / both.length).toBeCloseTo(0.4545, 3);
});
