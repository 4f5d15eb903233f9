/**
 * What an audit found to be wrongly billed is given back, where the outcome type says so: by a credit note like any other,
 * named by its audit, of all that is left of the charge. Written down as due with the result, and given right after it or by
 * the next round of the periodic duty, which also waits for a statement that is being closed.
 *
 * Locks: the charge (disputes/charge-lock.ts), then the audit. Index: `audit_credit_due`, which holds what is due only.
 */
import { leftOf } from "@contingent/core/books/disputes";
import type { AuditId, CreditNoteId, JobId } from "@contingent/core/ids";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { awaitedClosing, lockCharge, type LockedCharge } from "../disputes/charge-lock.ts";
import { giveBack } from "../disputes/credit-note.ts";

/** For the customer, who reads it on the credit note. */
const REASON = "A random audit found that this outcome should not have been billed.";

const DUE = "SELECT id, job_id FROM audit WHERE credit = 'due' ORDER BY random() LIMIT $1";

const STILL_DUE = "SELECT 1 FROM audit WHERE id = $1 AND credit = 'due' FOR NO KEY UPDATE";

const CREDITED = "UPDATE audit SET credit = $2, credit_note_id = $3 WHERE id = $1";

interface DueRow {
  readonly id: AuditId;
  readonly job_id: JobId;
}

/** Gives back what is due, of so many audits at most; in any order, so that none that waits keeps the others from it. @returns how many it found */
export async function creditAudits(pool: Pool, limit: number): Promise<number> {
  const { rows } = await pool.query<DueRow>({ text: DUE, values: [limit] });
  let credited = 0;
  for (const { id, job_id: jobId } of rows) if (await creditAudit(pool, id, jobId)) credited += 1;
  return credited;
}

/** Gives back what one audit is due; false when it has to wait, or nothing is due any more. Safe to repeat. */
export async function creditAudit(pool: Pool, id: AuditId, jobId: JobId): Promise<boolean> {
  return await transaction(pool, async (client) => {
    const charge = await lockCharge(client, jobId);
    if (charge === null || awaitedClosing(charge) !== null) return false;
    const { rowCount } = await client.query({ text: STILL_DUE, values: [id] });
    if (rowCount === 0) return false;
    const note = await creditAllOf(client, charge, id);
    await client.query({ text: CREDITED, values: [id, note === null ? "nothing_left" : "given", note] });
    return true;
  });
}

async function creditAllOf(client: Queryable, charge: LockedCharge, id: AuditId): Promise<CreditNoteId | null> {
  const amount = leftOf(charge);
  if (amount <= 0n) return null;
  return await giveBack(client, charge, { amount, reason: REASON, ref: id, disputeId: null });
}
