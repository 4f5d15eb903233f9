import { describe, expect, test } from "vitest";
import { binsOf, calibrate, errorOf, thresholdFor } from "./calibration.ts";
import { isotonicFit, type Labelled } from "./isotonic.ts";

/** So many labels of one score, so many of them right. */
function at(score: number, labels: number, correct: number): readonly Labelled[] {
  return Array.from({ length: labels }, (_, i) => ({ score, correct: i < correct }));
}

describe("there is nothing to calibrate", () => {
  test.each([
    ["with 29 labels", [...at(0.9, 28, 28), ...at(0.5, 1, 0)], "too_few_labels"],
    ["when all were right", at(0.9, 30, 30), "one_class"],
    ["when none was", at(0.9, 30, 0), "one_class"],
  ])("%s", (_, labels, reason) => {
    expect(calibrate(labels)).toEqual({ status: "insufficient_data", reason });
  });
});

describe("errors of forecasts", () => {
  test("in one bin by hand: 0.85 was forecast and three of four were right", () => {
    const forecasts = at(0.85, 4, 3).map(({ score: forecast, correct }) => ({ forecast, correct }));
    const { ece, brier } = errorOf(forecasts);
    expect(ece).toBeCloseTo(0.1, 12);
    // (3 × 0.15² + 0.85²) ÷ 4
    expect(brier).toBeCloseTo(0.1975, 12);
  });

  test("in two bins: what one has too much does not make up for what the other has too little", () => {
    const forecasts = [...at(0.25, 2, 1), ...at(0.75, 2, 1)].map(({ score, correct }) => ({
      forecast: score,
      correct,
    }));
    expect(errorOf(forecasts).ece).toBeCloseTo(0.25, 12);
  });

  test("are told by bins, those without forecasts left out", () => {
    const forecasts = [...at(0.25, 2, 1), ...at(1, 1, 1), ...at(0.95, 3, 0)];
    const bins = binsOf(forecasts.map(({ score: forecast, correct }) => ({ forecast, correct })));
    expect(bins).toEqual([
      { forecasts: 2, meanForecast: 0.25, shareCorrect: 0.5 },
      { forecasts: 4, meanForecast: (3 * 0.95 + 1) / 4, shareCorrect: 0.25 },
    ]);
  });

  test("certainty that came true has none", () => {
    const sure = [...at(1, 5, 5), ...at(0, 5, 0)].map(({ score, correct }) => ({ forecast: score, correct }));
    expect(errorOf(sure)).toEqual({ ece: 0, brier: 0 });
  });
});

test("a boastful score is corrected: of 0.95 seven in ten are right, and the calibrated forecast says so", () => {
  const calibration = calibrate([...at(0.95, 100, 70), ...at(0.6, 50, 15)]);
  if (calibration.status !== "calibrated") throw new Error(calibration.reason);
  expect(calibration.curve.map(({ labels, correct }) => correct / labels)).toEqual([0.3, 0.7]);
  expect(calibration.ofScore.ece).toBeCloseTo((100 * 0.25 + 50 * 0.3) / 150, 12);
  expect(calibration.ofCalibrated.ece).toBeLessThan(0.01);
  expect(calibration.ofCalibrated.brier).toBeLessThan(calibration.ofScore.brier);
});

test("a score that says nothing is not made to say something: its forecast is not judged by the labels it was made from", () => {
  // Right and wrong alternate with the score, so that a fit follows noise.
  const noise = Array.from({ length: 60 }, (_, i) => ({ score: i / 60, correct: i % 2 === 0 }));
  const calibration = calibrate(noise);
  if (calibration.status !== "calibrated") throw new Error(calibration.reason);
  const ofItself = errorOf(noise.map(({ score, correct }) => ({ forecast: fitted(noise, score), correct })));
  expect(ofItself.ece).toBeLessThan(1e-9);
  expect(calibration.ofCalibrated.ece).toBeGreaterThan(0);
  expect(calibration.ofCalibrated.brier).toBeGreaterThan(ofItself.brier);
});

function fitted(labels: readonly Labelled[], score: number): number {
  const block = isotonicFit(labels).find(({ fromScore, toScore }) => fromScore <= score && score <= toScore);
  return block === undefined ? 0 : block.correct / block.labels;
}

describe("the threshold for a probability", () => {
  const curve = isotonicFit([...at(0.5, 40, 20), ...at(0.8, 40, 36), ...at(0.95, 40, 39)]);

  test.each([
    [0.5, 0.5, 120],
    [0.51, 0.8, 80],
    [0.9, 0.8, 80],
    [0.95, 0.95, 40],
  ])("%s is the smallest score that reaches it", (probability, score, labels) => {
    expect(thresholdFor(curve, probability)).toEqual({ kind: "found", score, labels });
  });

  test("says what is the most there is when it is nowhere", () => {
    expect(thresholdFor(curve, 0.99)).toEqual({ kind: "not_reached", highest: 0.975, fromScore: 0.95 });
  });

  test("does not rest on a few right answers at the top", () => {
    const lucky = isotonicFit([...at(0.8, 100, 80), ...at(1, 29, 29)]);
    expect(thresholdFor(lucky, 0.95)).toEqual({ kind: "too_few_above", score: 1, labels: 29 });
    const enough = isotonicFit([...at(0.8, 100, 80), ...at(1, 30, 30)]);
    expect(thresholdFor(enough, 0.95)).toEqual({ kind: "found", score: 1, labels: 30 });
  });
});
