/**
 * Labels: what somebody who looked said about an outcome that a verdict had passed. Several may have looked at the same
 * one, and may disagree.
 */

/**
 * From the weakest to the strongest. A customer who accepts may not have looked closely; a dispute was looked into, because
 * somebody complained; an operator looked of their own accord; an audit looks at what chance has chosen, with nothing at stake for whoever looks.
 */
export const LABEL_SOURCES = ["acceptance", "dispute", "operator", "audit"] as const;
export type LabelSource = (typeof LABEL_SOURCES)[number];

export interface Label {
  /** Whose outcome: labels of the same verdict are about the same answer. */
  readonly verdictId: string;
  readonly source: LabelSource;
  /** What the verdict's score was, 0 to 1. */
  readonly score: number;
  readonly correct: boolean;
}

/** One label for each outcome: of several the one of the strongest source, and of several of that the first: give the newest first. */
export function strongestLabels(labels: readonly Label[]): readonly Label[] {
  const strongest = new Map<string, Label>();
  for (const label of labels) {
    const known = strongest.get(label.verdictId);
    if (known === undefined || rank(label) > rank(known)) strongest.set(label.verdictId, label);
  }
  return [...strongest.values()];
}

function rank({ source }: Label): number {
  return LABEL_SOURCES.indexOf(source);
}

/** How many labels each source gave. */
export function countBySource(labels: readonly Label[]): Readonly<Record<LabelSource, number>> {
  const counts = { acceptance: 0, dispute: 0, operator: 0, audit: 0 };
  for (const { source } of labels) counts[source] += 1;
  return counts;
}
