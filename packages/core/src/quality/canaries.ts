/**
 * Whether a judge can still be believed: by how many answers that are known to be bad it lets through. Such answers are put
 * before it among real ones.
 */
import { type Share, shareOf } from "./proportion.ts";

/** Known-bad answers that a judge was asked about, and those of them that it let through. */
export interface CanaryCounts {
  readonly asked: number;
  readonly passed: number;
}

/** Fewer than this say nothing, however they went: one slip must not stop an outcome type. */
export const CANARIES_MIN = 5;

/** Only so many of the last ones count: what a judge was like before says little about what it is like now. */
export const CANARIES_MAX = 200;

/** The share that a judge lets through, with its interval; null before the first known-bad answer. */
export function shareLetThrough({ asked, passed }: CanaryCounts): Share | null {
  return asked === 0 ? null : shareOf(passed, asked);
}

/**
 * Whether a judge lets more through than it may: the whole interval is above the limit. It is looked at after every
 * known-bad answer, so that over many of them a judge that is just within its limit is suspended by chance more often than
 * a single look would; a person then reinstates it. The other mistake would be paid for by customers.
 */
export function letsTooMuchThrough(counts: CanaryCounts, limit: number): boolean {
  const share = shareLetThrough(counts);
  return share !== null && counts.asked >= CANARIES_MIN && share.low > limit;
}
