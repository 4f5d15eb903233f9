/** What comes after twelve digits of a score is noise of adding fractions up: a threshold must not be missed by it. */
export function withoutNoise(score: number): number {
  return Math.round(score * 1e12) / 1e12;
}
