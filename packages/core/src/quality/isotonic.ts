/**
 * Isotonic regression: of all non-decreasing functions of the score the one that fits the labels best (least squares, and
 * least log loss as well). By pooling adjacent violators, in one pass over the sorted scores.
 */

/** A score, and whether the outcome was right. */
export interface Labelled {
  readonly score: number;
  readonly correct: boolean;
}

/** Scores that are told apart by nothing that was seen: among them so many were right. */
export interface Block {
  readonly fromScore: number;
  readonly toScore: number;
  readonly labels: number;
  readonly correct: number;
}

/** Ascending by score, and ascending by probability as well. */
export type Curve = readonly Block[];

export function probabilityOf({ correct, labels }: Pick<Block, "correct" | "labels">): number {
  return correct / labels;
}

export function isotonicFit(labelled: readonly Labelled[]): Curve {
  const blocks: Block[] = [];
  for (const group of groupedByScore(labelled)) {
    let block = group;
    for (let last = blocks.at(-1); last !== undefined && !isBelow(last, block); last = blocks.at(-1)) {
      blocks.pop();
      block = pooled(last, block);
    }
    blocks.push(block);
  }
  return blocks;
}

/** Equal scores cannot be told apart, so they are one block from the start. */
function groupedByScore(labelled: readonly Labelled[]): readonly Block[] {
  const groups = new Map<number, Block>();
  for (const { score, correct } of labelled) {
    const one = { fromScore: score, toScore: score, labels: 1, correct: Number(correct) };
    const known = groups.get(score);
    groups.set(score, known === undefined ? one : pooled(known, one));
  }
  return [...groups.values()].toSorted((left, right) => left.fromScore - right.fromScore);
}

/** In whole numbers: quotients that should be equal may differ in their last digit. */
function isBelow(left: Block, right: Block): boolean {
  return left.correct * right.labels < right.correct * left.labels;
}

function pooled(left: Block, right: Block): Block {
  return {
    fromScore: left.fromScore,
    toScore: right.toScore,
    labels: left.labels + right.labels,
    correct: left.correct + right.correct,
  };
}

/**
 * What the curve says about a score: its block's probability, between two blocks that of the lower one. Below all that was
 * seen it is the first block's, which may be too high: nobody knows.
 */
export function probabilityAt(curve: Curve, score: number): number | null {
  const block = curve.findLast(({ fromScore }) => fromScore <= score) ?? curve[0];
  return block === undefined ? null : probabilityOf(block);
}
