/** The arithmetic of a validator tree: from the scores of leaves, or what they can be, to the score of the whole. */
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { type Member, membersOf } from "./leaves.ts";
import { withoutNoise } from "./noise.ts";

/** What a score can be. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What a node's score can be, by what each of its leaves' can be. */
export function rangeOf(at: Member, ofLeaf: (leaf: Member) => Range): Range {
  const { node } = at;
  if ("use" in node) return ofLeaf(at);
  const ranges = membersOf(at).map((member) => rangeOf(member, ofLeaf));
  const [lows, highs] = [ranges.map(({ low }) => low), ranges.map(({ high }) => high)];
  if ("all" in node) return { low: Math.min(...lows), high: Math.min(...highs) };
  if ("any" in node) return { low: Math.max(...lows), high: Math.max(...highs) };
  if ("not" in node) return { low: withoutNoise(1 - Math.max(...highs)), high: withoutNoise(1 - Math.min(...lows)) };
  const mean = (scores: readonly number[]): number => weightedMean(node, scores);
  return { low: mean(lows), high: mean(highs) };
}

/** The mean by weight; from the threshold on it counts as 1. Computed from what is missing, so that all ones are exactly 1. */
function weightedMean(
  { weighted, threshold = 1 }: Extract<ValidatorNode, { weighted: unknown }>,
  scores: readonly number[],
): number {
  const total = sum(weighted.map(({ weight }) => weight));
  // Shares of the whole: of the smallest weights there are a part would be nothing, and then nothing would be missing.
  const missing = sum(weighted.map(({ weight }, i) => (weight / total) * (1 - (scores[i] ?? 0))));
  const mean = withoutNoise(Math.max(0, 1 - missing));
  return mean >= threshold ? 1 : mean;
}

/** The same whatever the order of the numbers, to the last digit. */
function sum(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b).reduce((total, number) => total + number, 0);
}
