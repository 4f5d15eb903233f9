/** Credit notes: a charge is given back, in part or whole, in the way in which it was paid. */
import { creditNote } from "@contingent/core/books/after-charge";
import { creditOf, type TooMuch } from "@contingent/core/books/disputes";
import type { CreditNoteId, DisputeId, GrantId, JobId } from "@contingent/core/ids";
import type { Nanos } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { book } from "../book.ts";
import { awaitedClosing, lockCharge, type LockedCharge, type StatementClosing } from "./charge-lock.ts";

export interface CreditRequest {
  readonly jobId: JobId;
  readonly amount: Nanos;
  readonly reason: string;
  /** The operator's own name for it: the same reference never gives twice. */
  readonly ref: string;
}

export type IssuedCredit =
  | { readonly kind: "issued"; readonly id: CreditNoteId }
  /** It was given before. */
  | { readonly kind: "repeated"; readonly id: CreditNoteId }
  /** The reference stands for another credit note of this job. */
  | { readonly kind: "ref_taken"; readonly id: CreditNoteId }
  | { readonly kind: "no_charge" }
  | StatementClosing
  | TooMuch;

const EARLIER = `
  SELECT id, amount_nanos = $3 AND reason = $4 AS is_same FROM credit_note WHERE job_id = $1 AND ref = $2`;

/** Gives back a part of a charge without a dispute. Safe to repeat: the same reference is the same credit note. */
export async function issueCreditNote(pool: Pool, request: CreditRequest): Promise<IssuedCredit> {
  const { jobId, amount, reason, ref } = request;
  return await transaction(pool, async (client) => {
    const charge = await lockCharge(client, jobId);
    if (charge === null) return { kind: "no_charge" };
    const earlier = await client.query<{ id: CreditNoteId; is_same: boolean }>({
      name: "earlier-credit-note",
      text: EARLIER,
      values: [jobId, ref, amount, reason],
    });
    const [known] = earlier.rows;
    if (known !== undefined) return { kind: known.is_same ? "repeated" : "ref_taken", id: known.id };
    const closing = awaitedClosing(charge);
    if (closing !== null) return closing;
    const credit = creditOf(charge, amount);
    if (credit.kind === "too_much") return credit;
    return { kind: "issued", id: await giveBack(client, charge, { amount, reason, ref, disputeId: null }) };
  });
}

/**
 * The lowest there is: money that comes back is spent before anything else, for it was spent once already. It never
 * expires and buys everything, whatever it was paid from: a customer who was wronged loses nothing by it.
 */
const CREDIT_PRIORITY = 0;

const GRANT = `
  INSERT INTO credit_grant (id, customer_id, kind, ref, amount_nanos, available_nanos, priority, created_at)
  VALUES ($1, $2, 'credit', $3, $4, $4, ${CREDIT_PRIORITY}, to_timestamp($5::float8 / 1000))`;

const NOTE = `
  INSERT INTO credit_note (id, job_id, dispute_id, customer_id, ref, reason, amount_nanos, charge_nanos,
                           credited_before_nanos, reduced_nanos, grant_id, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, to_timestamp($12::float8 / 1000))`;

export interface Given {
  readonly amount: Nanos;
  readonly reason: string;
  /** A note has either its own name or a dispute that it is for. */
  readonly ref: string | null;
  readonly disputeId: DisputeId | null;
}

/** Writes the credit note and books it, under the lock of its charge. What is given must fit what is left. */
export async function giveBack(client: Queryable, charge: LockedCharge, given: Given): Promise<CreditNoteId> {
  const { jobId, customerId, currency, nowMs: atMs } = charge;
  const { amount, reason, ref, disputeId } = given;
  const id = newId("crn");
  const reduced = charge.statement === null ? null : charge.reduced;
  const grantId = charge.billing === "prepaid" ? newId("gra") : null;
  if (grantId !== null) await grant(client, charge, { grantId, noteId: id, amount });
  await client.query({
    name: "write-credit-note",
    text: NOTE,
    values: [
      ...[id, jobId, disputeId, customerId, ref, reason],
      ...[amount, charge.charged, charge.credited, reduced, grantId, atMs],
    ],
  });
  await book(client, [{ transaction: creditNote({ id, jobId, customerId, amount, grantId }), currency, atMs }]);
  return id;
}

async function grant(
  client: Queryable,
  { customerId, nowMs }: LockedCharge,
  { grantId, noteId, amount }: { readonly grantId: GrantId; readonly noteId: CreditNoteId; readonly amount: Nanos },
): Promise<void> {
  await client.query({ name: "grant-credit", text: GRANT, values: [grantId, customerId, noteId, amount, nowMs] });
}
