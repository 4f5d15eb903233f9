/** Prepaid money as it stands: reading grants. What brings money in and ends it is in packages/ledger. */
import type { GrantKind } from "@contingent/core/books/grants";
import type { CustomerId, GrantId } from "@contingent/core/ids";
import { type Nanos, nanos } from "@contingent/core/money";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

export interface GrantView {
  readonly id: GrantId;
  readonly customerId: CustomerId;
  readonly kind: GrantKind;
  readonly ref: string;
  readonly amount: Nanos;
  /** What is neither spent nor held for a job, nor expired and booked as such. */
  readonly available: Nanos;
  readonly priority: number;
  readonly expiresAtMs: number | null;
  readonly outcomeTypes: readonly string[] | null;
  readonly createdAtMs: number;
}

export interface GrantRow {
  readonly id: GrantId;
  readonly customer_id: CustomerId;
  readonly kind: GrantKind;
  readonly ref: string;
  readonly amount_nanos: bigint;
  readonly available_nanos: bigint;
  readonly priority: number;
  readonly expires_ms: number | null;
  readonly outcome_types: readonly string[] | null;
  readonly created_ms: number;
}

export const GRANT_COLUMNS = `
  id, customer_id, kind, ref, amount_nanos, available_nanos, priority, ${msOf("expires_at")} AS expires_ms, outcome_types,
  ${msOf("created_at")} AS created_ms`;

export function grantOf(row: GrantRow): GrantView {
  return {
    id: row.id,
    customerId: row.customer_id,
    kind: row.kind,
    ref: row.ref,
    amount: nanos(row.amount_nanos),
    available: nanos(row.available_nanos),
    priority: row.priority,
    expiresAtMs: row.expires_ms,
    outcomeTypes: row.outcome_types,
    createdAtMs: row.created_ms,
  };
}

/** A customer's grants, newest first, those before the given one; also those that are spent. Takes no lock. */
export async function listGrants(
  db: Queryable,
  customerId: CustomerId,
  page: { readonly before: string | null; readonly limit: number },
): Promise<readonly GrantView[]> {
  const { rows } = await db.query<GrantRow>({
    text: `SELECT ${GRANT_COLUMNS} FROM credit_grant
            WHERE customer_id = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    values: [customerId, page.before, page.limit],
  });
  return rows.map(grantOf);
}
