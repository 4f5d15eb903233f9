/**
 * What a score is worth: from labelled outcomes, score → probability that the outcome is right.
 *
 * How good a forecast is, is told in two numbers. Brier: the mean squared distance of the forecast from what came (0 or 1).
 * ECE, the expected calibration error: forecasts in ten bins of equal width, [0, 0.1) to [0.9, 1]; in each the distance of
 * the mean forecast from the share that was right, averaged by how many the bin holds. Both are told of the score itself,
 * read as a probability, and of the calibrated one. The latter by five folds: each label is forecast by a curve that has
 * not seen it, because a curve that has is never wrong on average.
 */
import { type Curve, isotonicFit, type Labelled, probabilityAt, probabilityOf } from "./isotonic.ts";

/** Fewer say nothing. */
export const LABELS_MIN = 30;
const BINS = 10;
const FOLDS = 5;

export interface ForecastError {
  readonly ece: number;
  readonly brier: number;
}

export type Calibration =
  | {
      readonly status: "calibrated";
      readonly curve: Curve;
      /** Of the score. */
      readonly bins: readonly Bin[];
      readonly ofScore: ForecastError;
      readonly ofCalibrated: ForecastError;
    }
  /** Too few, or all of them right, or all wrong: then no score can be told from another. */
  | { readonly status: "insufficient_data"; readonly reason: "too_few_labels" | "one_class" };

export function calibrate(labelled: readonly Labelled[]): Calibration {
  if (labelled.length < LABELS_MIN) return { status: "insufficient_data", reason: "too_few_labels" };
  const correct = labelled.filter((label) => label.correct).length;
  if (correct === 0 || correct === labelled.length) return { status: "insufficient_data", reason: "one_class" };
  const byScore = labelled.map((label) => ({ forecast: label.score, correct: label.correct }));
  return {
    status: "calibrated",
    curve: isotonicFit(labelled),
    bins: binsOf(byScore),
    ofScore: errorOf(byScore),
    ofCalibrated: errorOf(crossForecasts(labelled)),
  };
}

interface Forecast {
  /** 0 to 1. */
  readonly forecast: number;
  readonly correct: boolean;
}

/** Forecasts that are nearly the same, and how often they came true. */
export interface Bin {
  readonly forecasts: number;
  readonly meanForecast: number;
  readonly shareCorrect: number;
}

/** The bins that hold any: what a reliability diagram shows. */
export function binsOf(forecasts: readonly Forecast[]): readonly Bin[] {
  const sums = Array.from({ length: BINS }, () => ({ forecasts: 0, forecast: 0, correct: 0 }));
  for (const { forecast, correct } of forecasts) {
    const bin = sums[Math.min(BINS - 1, Math.floor(forecast * BINS))];
    if (bin === undefined) throw new RangeError(`${forecast} is no probability`);
    bin.forecasts += 1;
    bin.forecast += forecast;
    bin.correct += Number(correct);
  }
  return sums
    .filter((bin) => bin.forecasts > 0)
    .map(({ forecasts: n, forecast, correct }) => ({
      forecasts: n,
      meanForecast: forecast / n,
      shareCorrect: correct / n,
    }));
}

export function errorOf(forecasts: readonly Forecast[]): ForecastError {
  const distance = binsOf(forecasts).reduce(
    (sum, { forecasts: n, meanForecast, shareCorrect }) => sum + n * Math.abs(meanForecast - shareCorrect),
    0,
  );
  const squares = forecasts.reduce((sum, { forecast, correct }) => sum + (forecast - Number(correct)) ** 2, 0);
  return { ece: distance / forecasts.length, brier: squares / forecasts.length };
}

/** Every fifth label, in the order of scores, is forecast by the other four fifths: the folds are alike, and always the same. */
function crossForecasts(labelled: readonly Labelled[]): readonly Forecast[] {
  const ordered = labelled.toSorted((a, b) => a.score - b.score || Number(a.correct) - Number(b.correct));
  return Array.from({ length: FOLDS }, (_, fold) => {
    const curve = isotonicFit(ordered.filter((_label, i) => i % FOLDS !== fold));
    const held = ordered.filter((_label, i) => i % FOLDS === fold);
    return held.map(({ score, correct }) => ({ forecast: probabilityAt(curve, score) ?? score, correct }));
  }).flat();
}

export type ThresholdSearch =
  | { readonly kind: "found"; readonly score: number; readonly labels: number }
  /** Nowhere on the curve; the most there is, and from which score. */
  | { readonly kind: "not_reached"; readonly highest: number; readonly fromScore: number }
  /** It is reached, by so few labels that it may be by chance. */
  | { readonly kind: "too_few_above"; readonly score: number; readonly labels: number };

/**
 * The smallest score from which on an outcome is right with at least this probability. It rests on the labels from there on
 * up, so there must be enough of those: one right answer at the top would else promise certainty.
 */
export function thresholdFor(curve: Curve, probability: number): ThresholdSearch {
  const first = curve.findIndex((block) => probabilityOf(block) >= probability);
  const block = curve[first];
  if (block === undefined) {
    const top = curve.at(-1);
    return {
      kind: "not_reached",
      highest: top === undefined ? 0 : probabilityOf(top),
      fromScore: top?.fromScore ?? 0,
    };
  }
  const labels = curve.slice(first).reduce((sum, each) => sum + each.labels, 0);
  return { kind: labels < LABELS_MIN ? "too_few_above" : "found", score: block.fromScore, labels };
}
