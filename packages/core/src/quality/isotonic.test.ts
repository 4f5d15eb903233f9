import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Block, type Curve, isotonicFit, type Labelled, probabilityAt, probabilityOf } from "./isotonic.ts";

const labelled = fc.record({ score: fc.integer({ min: 0, max: 7 }).map((n) => n / 8), correct: fc.boolean() });
const several = fc.array(labelled, { minLength: 1, maxLength: 40 });

function squaresAround(curve: Curve, labels: readonly Labelled[]): number {
  return labels.reduce(
    (sum, { score, correct }) => sum + ((probabilityAt(curve, score) ?? 0) - Number(correct)) ** 2,
    0,
  );
}

/** Every way to cut the scores into runs, each with the mean of its labels: the best fit is one of those that ascend. */
function everyStepFunction(labels: readonly Labelled[]): readonly Curve[] {
  const scores = [...new Set(labels.map(({ score }) => score))].toSorted((a, b) => a - b);
  return Array.from({ length: 2 ** (scores.length - 1) }, (_, cuts) => {
    const runs: number[][] = [];
    for (const [i, score] of scores.entries()) {
      const run = i === 0 || (cuts >> (i - 1)) % 2 === 1 ? undefined : runs.at(-1);
      if (run === undefined) runs.push([score]);
      else run.push(score);
    }
    return runs.map((run) => blockOf(labels.filter(({ score }) => run.includes(score))));
  });
}

function blockOf(labels: readonly Labelled[]): Block {
  const scores = labels.map(({ score }) => score);
  const correct = labels.filter((label) => label.correct).length;
  return { fromScore: Math.min(...scores), toScore: Math.max(...scores), labels: labels.length, correct };
}

function ascends(curve: Curve): boolean {
  return curve.every((block, i) => i === 0 || probabilityOf(curve[i - 1] ?? block) <= probabilityOf(block));
}

describe("the fitted curve", () => {
  test("ascends strictly from block to block, and every label is in one of them", () => {
    fc.assert(
      fc.property(several, (labels) => {
        const curve = isotonicFit(labels);
        for (const [i, block] of curve.entries()) {
          const before = curve[i - 1];
          if (before === undefined) continue;
          expect(probabilityOf(block)).toBeGreaterThan(probabilityOf(before));
          expect(block.fromScore).toBeGreaterThan(before.toScore);
        }
        expect(curve.reduce((sum, block) => sum + block.labels, 0)).toBe(labels.length);
        expect(curve.reduce((sum, block) => sum + block.correct, 0)).toBe(labels.filter((l) => l.correct).length);
      }),
    );
  });

  test("is the best of all that ascend: found by trying every one of them", () => {
    fc.assert(
      fc.property(several, (labels) => {
        const best = Math.min(
          ...everyStepFunction(labels)
            .filter(ascends)
            .map((curve) => squaresAround(curve, labels)),
        );
        expect(squaresAround(isotonicFit(labels), labels)).toBeCloseTo(best, 9);
      }),
    );
  });

  test("fitted to itself stays as it is", () => {
    fc.assert(
      fc.property(several, (labels) => {
        const curve = isotonicFit(labels);
        const again = isotonicFit(
          curve.flatMap(({ fromScore, labels: n, correct }) =>
            Array.from({ length: n }, (_, i) => ({ score: fromScore, correct: i < correct })),
          ),
        );
        expect(again.map(probabilityOf)).toEqual(curve.map(probabilityOf));
      }),
    );
  });

  test("does not depend on the order of the labels", () => {
    fc.assert(
      fc.property(several, (labels) => {
        expect(isotonicFit(labels.toReversed())).toEqual(isotonicFit(labels));
      }),
    );
  });

  test("of no labels says nothing", () => {
    expect(probabilityAt(isotonicFit([]), 0.5)).toBeNull();
  });
});

test("two neighbours that descend are pooled: 0.5 is right once of two, 0.6 never", () => {
  const labels = [
    { score: 0.2, correct: false },
    { score: 0.5, correct: true },
    { score: 0.5, correct: false },
    { score: 0.6, correct: false },
    { score: 0.9, correct: true },
  ];
  const curve = isotonicFit(labels);
  expect(curve).toEqual([
    { fromScore: 0.2, toScore: 0.2, labels: 1, correct: 0 },
    { fromScore: 0.5, toScore: 0.6, labels: 3, correct: 1 },
    { fromScore: 0.9, toScore: 0.9, labels: 1, correct: 1 },
  ]);
  // Between two blocks it is the lower one's, below all of them the first one's.
  expect([0, 0.2, 0.4, 0.55, 0.8, 0.9, 1].map((score) => probabilityAt(curve, score))).toEqual([
    ...[0, 0, 0],
    ...[1 / 3, 1 / 3],
    ...[1, 1],
  ]);
});
