/**
 * How many of the billed outcomes should not have been billed. Measured by random audits and by nothing else: customers
 * dispute what they notice and mind, which says nothing about the rest.
 */
import { type Share, shareOf } from "./proportion.ts";

/** What an audit can come to. Who cannot tell says so: it counts as neither. */
export const AUDIT_RESULTS = ["correct", "incorrect", "undecided"] as const;
export type AuditResult = (typeof AUDIT_RESULTS)[number];

/** Audits that found the outcome right, or not. */
export interface AuditCounts {
  readonly correct: number;
  readonly incorrect: number;
}

/** The share of billed outcomes that were rightly billed; null before the first audit. */
export function precisionOf({ correct, incorrect }: AuditCounts): Share | null {
  const audited = correct + incorrect;
  return audited === 0 ? null : shareOf(correct, audited);
}

/** The share that was not: 1 − precision. */
export function falseBillRateOf(counts: AuditCounts): Share | null {
  return precisionOf({ correct: counts.incorrect, incorrect: counts.correct });
}

/**
 * How a measured false-bill rate stands against the most that is permitted. `suspected`: it is above, which may be by
 * chance. `exceeded`: the whole interval is above.
 */
export type FalseBillState = "unmeasured" | "within" | "suspected" | "exceeded";

export function falseBillState(counts: AuditCounts, rateMax: number): FalseBillState {
  const rate = falseBillRateOf(counts);
  if (rate === null) return "unmeasured";
  if (rate.low > rateMax) return "exceeded";
  return rate.point > rateMax ? "suspected" : "within";
}

/** An audit that was decided: what it was drawn by, and what came of it. */
export interface DrawnAudit {
  /** Where the outcome's draw fell, 0 to 1: it was audited because that is below the rate. */
  readonly draw: number;
  /** The share of billed outcomes that were audited then, more than 0. */
  readonly rate: number;
  readonly correct: boolean;
}

/**
 * A random sample of all the outcomes, though versions were audited at different rates: the draws below the lowest of the
 * rates. Counted together as they are, the versions that are audited more would weigh more.
 */
export function evenSample(audits: readonly DrawnAudit[]): AuditCounts {
  const lowest = audits.reduce((least, { rate }) => Math.min(least, rate), 1);
  const sample = audits.filter(({ draw }) => draw < lowest);
  const correct = sample.filter((audit) => audit.correct).length;
  return { correct, incorrect: sample.length - correct };
}
