/** What the tests of charges and of what becomes of them share. */
import type { JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import type { Pool } from "@contingent/db/pool";
import { checkBooks } from "@contingent/ledger/check-books";
import { issueCreditNote, type IssuedCredit } from "@contingent/ledger/disputes/credit-note";
import { openDispute, type OpenedDispute } from "@contingent/ledger/disputes/open-dispute";
import { partsOf } from "@contingent/testkit/jobs";

/** What core's fixture charges for a pass. */
export const PRICE = 500n;

export async function dispute(
  pool: Pool,
  jobId: JobId,
  asked: bigint | null = null,
  reason = "The total is wrong.",
): Promise<OpenedDispute> {
  const reverification = { stands: true };
  return await openDispute(pool, { jobId, asked: asked === null ? null : nanos(asked), reason, reverification });
}

export async function credit(pool: Pool, jobId: JobId, amount: bigint, ref: string): Promise<IssuedCredit> {
  return await issueCreditNote(pool, { jobId, amount: nanos(amount), reason: "As a courtesy.", ref });
}

export function idOf<Kind extends { readonly kind: string }>(
  result: Kind,
): Extract<Kind, { readonly id: string }>["id"] {
  if ("id" in result) return result.id as Extract<Kind, { readonly id: string }>["id"];
  throw new Error(`it is ${result.kind}, and has no id`);
}

/** The balances of these accounts over all transactions of a job, debits positive, as `class of` and nanos. */
export async function movedBy(pool: Pool, jobId: JobId, kinds: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ account: string; total: string }>(
    `SELECT p.account_class AS account, sum(p.amount_nanos)::text AS total
       FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
      WHERE t.job_id = $1 AND t.kind = ANY($2) GROUP BY 1 HAVING sum(p.amount_nanos) <> 0 ORDER BY 1`,
    [jobId, kinds],
  );
  return Object.fromEntries(rows.map(({ account, total }) => [account, Number(total)]));
}

/** What the check of the books has to say. */
export async function violations(pool: Pool): Promise<readonly string[]> {
  return (await checkBooks(pool, partsOf(pool).versions)).flatMap((result) => result.violations);
}
