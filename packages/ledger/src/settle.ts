import { capture, release, returnedSlices, type Transaction } from "@contingent/core/books/books";
import { ZERO } from "@contingent/core/money";
import { settlementOf } from "@contingent/core/books/settlement";
import type { Settled } from "@contingent/db/commit";
import type { JobForSettlement } from "@contingent/db/load";

/** What the transition that closes a job writes to the books. */
export interface SettlementEntries {
  readonly settled: Settled;
  readonly transactions: readonly Transaction[];
}

/** The one place where billability becomes money: a capture with the verdict that justifies it, or a void. */
export function settlementEntries(loaded: JobForSettlement): SettlementEntries {
  const { job, outcomeKey, version, hold } = loaded;
  const settlement = settlementOf(job);
  const charge = settlement.kind === "capture" ? settlement : null;
  const returned = returnedSlices(hold, charge?.price ?? ZERO);
  const { disputeWindowMs } = job.terms;
  return {
    settled: { hold, outcomeType: version.name, outcomeKey, charge, disputeWindowMs, returned },
    transactions: [charge === null ? release(hold) : capture(hold, charge.price)],
  };
}
