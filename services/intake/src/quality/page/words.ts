/** Shares as people write them. */

/** `98.3 %`. With one decimal, and never rounded to a certainty that it is not. */
export function percent(share: number): string {
  const tenths = Math.round(share * 1_000);
  if (tenths === 1_000 && share < 1) return "> 99.9 %";
  if (tenths === 0 && share > 0) return "< 0.1 %";
  return `${(tenths / 10).toString()} %`;
}

/** `98.3 % (94.1–99.8 %)`. */
export function withInterval({
  point,
  low,
  high,
}: {
  readonly point: number;
  readonly low: number;
  readonly high: number;
}): string {
  return `${percent(point)} (${percent(low).replace(/ %$/, "")}–${percent(high)})`;
}
