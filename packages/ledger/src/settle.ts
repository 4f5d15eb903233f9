import { captureOnAccount, type Transaction, voidOnAccount } from "@contingent/core/books/books";
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
  const { job, customerId, outcomeKey, version, held } = loaded;
  const settlement = settlementOf(job);
  const charge = settlement.kind === "capture" ? settlement : null;
  return {
    settled: { customerId, outcomeType: version.name, outcomeKey, charge },
    transactions: [
      charge === null
        ? voidOnAccount(job.id, customerId, held)
        : captureOnAccount(job.id, customerId, held, charge.price),
    ],
  };
}
