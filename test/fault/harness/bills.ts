/** What the provider has billed for each job, by its own log. */
import type { BilledRecord } from "@contingent/simulator/server";
import { billOf } from "../../e2e/support/bills.ts";

/** Tests begin each prompt with a marker of their own (e2e/support/cases.ts). */
const MARKER = /^<[0-9a-z-]+>/;

/** Nanos by marker; null for a job with a bill that nobody can read. What carries no marker (judges' calls) is left out. */
export function billsByMarker(billed: readonly BilledRecord[]): ReadonlyMap<string, bigint | null> {
  const bills = new Map<string, bigint | null>();
  for (const record of billed) {
    const marker = MARKER.exec(record.prompt_excerpt)?.[0];
    if (marker === undefined) continue;
    const before = bills.get(marker);
    bills.set(marker, before === null || !isLegible(record) ? null : (before ?? 0n) + billOf(record));
  }
  return bills;
}

function isLegible({ usage }: BilledRecord): boolean {
  return [usage["input_tokens"], usage["output_tokens"]].every((n) => Number.isSafeInteger(n) && Number(n) >= 0);
}
