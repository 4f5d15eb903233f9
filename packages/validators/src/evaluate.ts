import type { ValidatorNode } from "@contingent/core/outcome-type";
import {
  decisionFor,
  type Finding,
  FINDINGS_IN_FEEDBACK_MAX,
  type LeafVerdict,
  type Thresholds,
  type Verdict,
} from "@contingent/core/verdict";
import { VERDICT_FINDINGS_MAX } from "./bounds.ts";
import { finding } from "./finding.ts";
import type { RegisteredInquiry } from "./inquiry.ts";
import { leavesOf, type Member, membersOf, type PlacedLeaf } from "./leaves.ts";
import { withoutNoise } from "./noise.ts";
import { type Range, rangeOf } from "./range.ts";
import type { Replies } from "./replies.ts";
import { type LeafResult, type RunCheck, type Subject, ValidatorError } from "./validator.ts";

/** What a judgement draws on besides the answer. */
export interface Sources {
  /** Runs the checks that do not run in this process. */
  readonly run: RunCheck;
  /** What has been said to the inquiries of the tree; none unless given. */
  readonly replies?: Replies;
  /** Whether the score itself matters, as for a price by score, and not only on which side of the thresholds it is. */
  readonly exact?: boolean;
  /** Whether the answer or its input is so large that no check of it may hold up this process. */
  readonly isLarge?: boolean;
}

/** An inquiry in its place. */
export type PlacedInquiry = PlacedLeaf<RegisteredInquiry>;

/** A verdict, or what has to be asked first. */
export type Evaluation =
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  | { readonly kind: "inquire"; readonly leaf: PlacedInquiry; readonly soFar: SoFar };

/** What is known before somebody is asked. */
export type SoFar = Pick<Verdict, "leaves" | "findings">;

/**
 * Judges an answer by a tree of validators. The leaves have their say one after the other, the cheapest first, as long as
 * they can change the score: a gate that failed under `all` spares the rest. What needs no process of its own is checked in
 * any case: it costs nearly nothing, and every finding helps the next attempt. Nobody is asked once it is decided what the
 * answer is worth.
 * @throws ValidatorError when the tree or a validator is broken: that is no verdict, and must never be billed.
 */
export async function evaluate(
  tree: ValidatorNode,
  subject: Subject,
  thresholds: Thresholds,
  { run, replies, exact = false, isLarge = false }: Sources,
): Promise<Evaluation> {
  const results = new Map<string, LeafResult>();
  const leaves: LeafVerdict[] = [];
  const root = { path: "", node: tree };
  const note = (leaf: string, validator: string, result: LeafResult, durationMs: number): void => {
    insistOnSoundness(validator, result);
    const score = withoutNoise(result.score);
    results.set(leaf, { score, findings: result.findings });
    leaves.push({ leaf, validator, score, durationMs });
  };
  for (const leaf of leavesOf(tree)) {
    const { path, validator, options } = leaf;
    const isCheap = validator.kind === "check" && validator.place === "inline";
    if (!isCheap && !canMatter(root, path, results)) continue;
    if (validator.kind === "check") {
      const startMs = performance.now();
      const isHere = !isLarge && validator.isQuick(subject, options);
      const result = await (isHere ? validator.run(subject, options) : run(validator, subject, options));
      note(path, `${validator.name}@${validator.version}`, result, performance.now() - startMs);
      continue;
    }
    if (isDecided(scoreOf(root, results), thresholds, exact)) break;
    const reply = replies?.get(path);
    if (reply === undefined) {
      const soFar = { leaves, findings: findingsSoFar(root, results) };
      return { kind: "inquire", leaf: { path, validator, options }, soFar };
    }
    note(path, reply.validator, reply, reply.durationMs);
  }
  const { low: score } = scoreOf(root, results);
  return {
    kind: "verdict",
    verdict: {
      decision: decisionFor(score, thresholds.successAt, thresholds.partialAt),
      score,
      findings: findingsSoFar(root, results),
      validators: [...new Set(leaves.map(({ validator }) => validator))],
      leaves,
    },
  };
}

/**
 * The verdict, where nobody has to be asked any more.
 * @throws ValidatorError when somebody has
 */
export function verdictOf<V>(
  found: { readonly kind: "verdict"; readonly verdict: V } | { readonly kind: "inquire"; readonly leaf: PlacedInquiry },
): V {
  if (found.kind === "verdict") return found.verdict;
  throw new ValidatorError(`there is no reply of ${found.leaf.validator.name} on record`);
}

/** Whether a leaf can still change the score: nothing can below a node whose own score is known. */
function canMatter(at: Member, leaf: string, results: ReadonlyMap<string, LeafResult>): boolean {
  const { low, high } = scoreOf(at, results);
  if (low === high) return false;
  const towards = membersOf(at).find(({ path }) => leaf === path || leaf.startsWith(`${path}/`));
  return towards === undefined || canMatter(towards, leaf, results);
}

/** Whether what is not known yet could make no difference to what becomes of the answer. */
function isDecided({ low, high }: Range, { successAt, partialAt }: Thresholds, exact: boolean): boolean {
  const best = decisionFor(high, successAt, partialAt);
  return best === "fail" || (!exact && decisionFor(low, successAt, partialAt) === best);
}

/** @throws ValidatorError when a result is none: it would make a verdict that nobody could explain */
export function insistOnSoundness(validator: string, { score, findings }: LeafResult): void {
  if (!(score >= 0 && score <= 1)) throw new ValidatorError(`${validator} gave a score that is not 0 to 1`);
  if (score < 1 && findings.length === 0) throw new ValidatorError(`${validator} gave no reason for its score`);
}

/** What a node's score can still become: anything from what is known of its leaves. */
function scoreOf(at: Member, results: ReadonlyMap<string, LeafResult>): Range {
  return rangeOf(at, ({ path }) => {
    const known = results.get(path)?.score;
    return { low: known ?? 0, high: known ?? 1 };
  });
}

function findingsSoFar(root: Member, results: ReadonlyMap<string, LeafResult>): readonly Finding[] {
  return inTurn(findingsOf(root, results)).slice(0, VERDICT_FINDINGS_MAX);
}

/** Why a node is not perfect, leaf by leaf, for the next attempt: nothing from members that do not matter. */
function findingsOf(at: Member, results: ReadonlyMap<string, LeafResult>): readonly (readonly Finding[])[] {
  const { path, node } = at;
  if (scoreOf(at, results).low === 1) return [];
  if ("use" in node) return [results.get(path)?.findings ?? []];
  if ("not" in node) return [[notFinding(node.not)]];
  return membersOf(at).flatMap((member) => findingsOf(member, results));
}

/** In the order of the tree; where the next prompt has no room for all, one of each leaf in turn: none hides the others. */
function inTurn(ofLeaves: readonly (readonly Finding[])[]): readonly Finding[] {
  const all = ofLeaves.flat();
  if (all.length <= FINDINGS_IN_FEEDBACK_MAX) return all;
  const most = Math.max(...ofLeaves.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => ofLeaves.flatMap((findings) => findings[turn] ?? [])).flat();
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
