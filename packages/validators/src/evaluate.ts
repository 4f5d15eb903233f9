import type { ValidatorNode } from "@contingent/core/outcome-type";
import { decisionFor, type Finding, type LeafVerdict, type Thresholds, type Verdict } from "@contingent/core/verdict";
import { VERDICT_FINDINGS_MAX } from "./bounds.ts";
import { finding } from "./finding.ts";
import { leavesOf, type Member, membersOf } from "./leaves.ts";
import { type LeafResult, type RunCheck, type Subject, ValidatorError } from "./validator.ts";

/**
 * Judges an answer by a tree of validators. The leaves have their say one after the other, the cheapest first, until the
 * score cannot change any more: a gate that failed under `all` spares the rest. What is checked in this process is checked
 * in any case: it costs nearly nothing, and every finding helps the next attempt.
 * @param run runs the checks that do not run in this process
 * @throws ValidatorError when the tree or a validator is broken: that is no verdict, and must never be billed.
 */
export async function evaluate(
  tree: ValidatorNode,
  subject: Subject,
  thresholds: Thresholds,
  run: RunCheck,
): Promise<Verdict> {
  const results = new Map<string, LeafResult>();
  const leaves: LeafVerdict[] = [];
  const root = { path: "", node: tree };
  for (const { path, validator, options } of leavesOf(tree)) {
    const here = validator.place === "inline";
    const { low, high } = scoreOf(root, results);
    if (low === high && !here) break;
    const startMs = performance.now();
    const result = await (here ? validator.run(subject, options) : run(validator, subject, options));
    insistOnSoundness(validator.name, result);
    results.set(path, result);
    const named = `${validator.name}@${validator.version}`;
    leaves.push({ leaf: path, validator: named, score: result.score, durationMs: performance.now() - startMs });
  }
  const { low: score } = scoreOf(root, results);
  return {
    decision: decisionFor(score, thresholds.successAt, thresholds.partialAt),
    score,
    findings: findingsOf(root, results).slice(0, VERDICT_FINDINGS_MAX),
    validators: [...new Set(leaves.map(({ validator }) => validator))],
    leaves,
  };
}

function insistOnSoundness(name: string, { score, findings }: LeafResult): void {
  if (!(score >= 0 && score <= 1)) throw new ValidatorError(`${name} gave a score that is not 0 to 1`);
  if (score < 1 && findings.length === 0) throw new ValidatorError(`${name} gave no reason for its score`);
}

/** What a node's score can still become. */
interface Range {
  readonly low: number;
  readonly high: number;
}

function scoreOf(at: Member, results: ReadonlyMap<string, LeafResult>): Range {
  const { path, node } = at;
  if ("use" in node) {
    const known = results.get(path)?.score;
    return { low: known ?? 0, high: known ?? 1 };
  }
  const ranges = membersOf(at).map((member) => scoreOf(member, results));
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
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const missing = weighted.reduce((sum, { weight }, i) => sum + weight * (1 - (scores[i] ?? 0)), 0);
  const mean = withoutNoise(Math.max(0, 1 - missing / total));
  return mean >= threshold ? 1 : mean;
}

/** What comes after twelve digits is noise of adding fractions up, in this order or another: a threshold must not be missed by it. */
function withoutNoise(score: number): number {
  return Math.round(score * 1e12) / 1e12;
}

/** Why a node is not perfect, for the next attempt: nothing from members that do not matter. */
function findingsOf(at: Member, results: ReadonlyMap<string, LeafResult>): readonly Finding[] {
  const { path, node } = at;
  if (scoreOf(at, results).low === 1) return [];
  if ("use" in node) return results.get(path)?.findings ?? [];
  if ("not" in node) return [notFinding(node.not)];
  return membersOf(at).flatMap((member) => findingsOf(member, results));
}

function notFinding(node: ValidatorNode): Finding {
  const what = "use" in node ? ` (${node.use})` : "";
  return finding(
    "",
    "must_not_pass",
    `The answer passes a check${what} that it must not pass.`,
    "Avoid what it looks for.",
  );
}
