/** A dispute ends: the operator upholds the charge or gives a part of it back, or the customer withdraws. */
import { disputeResolved } from "@contingent/core/books/after-charge";
import { creditInDispute, type DisputeState, type TooMuch } from "@contingent/core/books/disputes";
import type { DisputeId, JobId } from "@contingent/core/ids";
import { type Nanos, nanos } from "@contingent/core/money";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { book } from "../book.ts";
import { awaitedClosing, lockCharge, type LockedCharge, type StatementClosing } from "./charge-lock.ts";
import { giveBack } from "./credit-note.ts";

export type DisputeEnd =
  | { readonly outcome: "uphold"; readonly reason: string }
  /** Null: the disputed amount. */
  | { readonly outcome: "credit"; readonly amount: Nanos | null; readonly reason: string }
  | { readonly outcome: "withdraw" };

export type ResolvedDispute =
  | { readonly kind: "resolved" }
  /** It had been resolved in just this way. */
  | { readonly kind: "repeated" }
  | { readonly kind: "resolved_otherwise"; readonly state: Exclude<DisputeState, "open"> }
  | StatementClosing
  | TooMuch;

const STATES = { uphold: "upheld", credit: "credited", withdraw: "withdrawn" } as const;

interface DisputeRow {
  readonly amount_nanos: bigint;
  readonly state: DisputeState;
  readonly resolution: string | null;
  readonly credited_nanos: bigint | null;
}

const DISPUTE = `
  SELECT d.amount_nanos, d.state, d.resolution, n.amount_nanos AS credited_nanos
    FROM dispute d LEFT JOIN credit_note n ON n.dispute_id = d.id WHERE d.id = $1`;

const RESOLVE = `
  UPDATE dispute SET state = $2, resolution = $3, resolved_at = to_timestamp($4::float8 / 1000) WHERE id = $1`;

/** Ends a dispute; null when there is none by this id. Safe to repeat. */
export async function resolveDispute(pool: Pool, id: DisputeId, end: DisputeEnd): Promise<ResolvedDispute | null> {
  return await transaction(pool, async (client) => {
    const jobId = await jobOf(client, id);
    const charge = jobId === null ? null : await lockCharge(client, jobId);
    if (charge === null) return null;
    const { rows } = await client.query<DisputeRow>({ name: "dispute-to-resolve", text: DISPUTE, values: [id] });
    const [dispute] = rows;
    if (dispute === undefined) return null;
    if (dispute.state !== "open")
      return { kind: isSame(dispute, end) ? "repeated" : "resolved_otherwise", state: dispute.state };
    return await resolve(client, charge, { id, amount: nanos(dispute.amount_nanos) }, end);
  });
}

/** Which job a dispute is about never changes: it can be read before anything is locked. */
async function jobOf(client: Queryable, id: DisputeId): Promise<JobId | null> {
  const { rows } = await client.query<{ job_id: JobId }>({
    name: "job-of-dispute",
    text: "SELECT job_id FROM dispute WHERE id = $1",
    values: [id],
  });
  return rows[0]?.job_id ?? null;
}

function isSame(dispute: DisputeRow, end: DisputeEnd): boolean {
  if (dispute.state !== STATES[end.outcome]) return false;
  if (end.outcome === "withdraw") return true;
  const isSameAmount = end.outcome === "uphold" || end.amount === null || end.amount === dispute.credited_nanos;
  return isSameAmount && dispute.resolution === end.reason;
}

async function resolve(
  client: Queryable,
  charge: LockedCharge,
  dispute: { readonly id: DisputeId; readonly amount: Nanos },
  end: DisputeEnd,
): Promise<ResolvedDispute> {
  const { jobId, customerId, currency, nowMs: atMs } = charge;
  const { id, amount } = dispute;
  const closing = end.outcome === "credit" ? awaitedClosing(charge) : null;
  if (closing !== null) return closing;
  const credit = end.outcome === "credit" ? creditInDispute(charge, amount, end.amount) : null;
  if (credit?.kind === "too_much") return credit;
  const reason = end.outcome === "withdraw" ? null : end.reason;
  await client.query({ name: "resolve-dispute", text: RESOLVE, values: [id, STATES[end.outcome], reason, atMs] });
  await book(client, [{ transaction: disputeResolved({ id, jobId, customerId, amount }), currency, atMs }]);
  if (credit !== null && reason !== null) {
    await giveBack(client, charge, { amount: credit.amount, reason, ref: null, disputeId: id });
  }
  return { kind: "resolved" };
}
