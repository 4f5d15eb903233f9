import type { ValidatorNode } from "@contingent/core/outcome-type";
import { decisionFor, type Finding, type Verdict } from "@contingent/core/verdict";
import { TREE_DEPTH_MAX, TREE_LEAVES_MAX, VERDICT_FINDINGS_MAX } from "./bounds.ts";
import { validatorNamed } from "./registry.ts";
import { type LeafResult, type Subject, ValidatorError } from "./validator.ts";

/** From which score on an answer is a success, and from which on a partial one; null: there is no partial outcome. */
export interface Thresholds {
  readonly successAt: number;
  readonly partialAt: number | null;
}

/**
 * Judges an answer by a tree of validators. `all` is as good as its worst member, so that a strength in one check never
 * hides a failure in another.
 * @throws ValidatorError when the tree or a validator is broken: that is no verdict, and must never be billed.
 */
export function evaluate(tree: ValidatorNode, subject: Subject, thresholds: Thresholds): Verdict {
  const run: Run = { subject, leaves: 0, validators: new Set() };
  const { score, findings } = judge(tree, run, 1);
  return {
    decision: decisionFor(score, thresholds.successAt, thresholds.partialAt),
    score,
    findings: findings.slice(0, VERDICT_FINDINGS_MAX),
    validators: [...run.validators],
  };
}

interface Run {
  readonly subject: Subject;
  readonly validators: Set<string>;
  leaves: number;
}

function judge(node: ValidatorNode, run: Run, depth: number): LeafResult {
  if (depth > TREE_DEPTH_MAX) throw new ValidatorError(`the validator tree is deeper than ${TREE_DEPTH_MAX} levels`);
  if ("use" in node) return judgeLeaf(node.use, node.options, run);
  if (node.all.length === 0)
    throw new ValidatorError("a validator tree has an empty `all`, which would pass everything");
  const results = node.all.map((child) => judge(child, run, depth + 1));
  return {
    score: Math.min(...results.map((result) => result.score)),
    findings: results.flatMap((result): readonly Finding[] => result.findings),
  };
}

function judgeLeaf(name: string, options: unknown, run: Run): LeafResult {
  run.leaves += 1;
  if (run.leaves > TREE_LEAVES_MAX) throw new ValidatorError(`the validator tree has over ${TREE_LEAVES_MAX} leaves`);
  const validator = validatorNamed(name);
  if (validator === null) throw new ValidatorError(`there is no validator ${JSON.stringify(name)}`);
  const result = validator.run(run.subject, options);
  if (!(result.score >= 0 && result.score <= 1)) throw new ValidatorError(`${name} gave a score that is not 0 to 1`);
  if (result.score < 1 && result.findings.length === 0)
    throw new ValidatorError(`${name} gave no reason for its score`);
  run.validators.add(`${name}@${validator.version}`);
  return result;
}
