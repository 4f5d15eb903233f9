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
      readonly ofScore: ForecastError;
      readonly ofCalibrated: ForecastError;
    }
  /** Too few, or all of them right, or all wrong: then no score can be told from another. */
  | { readonly status: "insufficient_data"; readonly reason: "too_few_labels" | "one_class" };

export function calibrate(labelled: readonly Labelled[]): Calibration {
  if (labelled.length < LABELS_MIN) return { status: "insufficient_data", reason: "too_few_labels" };
  const correct = labelled.filter((label) => label.correct).length;
  if (correct === 0 || correct === labelled.length) return { status: "insufficient_data", reason: "one_class" };
  return {
    status: "calibrated",
    curve: isotonicFit(labelled),
    ofScore: errorOf(labelled.map(({ score, ...label }) => ({ ...label, forecast: score }))),
    ofCalibrated: errorOf(crossForecasts(labelled)),
  };
}

interface Forecast {
  /** 0 to 1. */
  readonly forecast: number;
  readonly correct: boolean;
}

export function errorOf(forecasts: readonly Forecast[]): ForecastError {
  const bins = Array.from({ length: BINS }, () => ({ forecast: 0, correct: 0 }));
  let squares = 0;
  for (const { forecast, correct } of forecasts) {
    const bin = bins[Math.min(BINS - 1, Math.floor(forecast * BINS))];
    if (bin === undefined) throw new RangeError(`${forecast} is no probability`);
    bin.forecast += forecast;
    bin.correct += Number(correct);
    squares += (forecast - Number(correct)) ** 2;
  }
  const distance = bins.reduce((sum, { forecast, correct }) => sum + Math.abs(forecast - correct), 0);
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
