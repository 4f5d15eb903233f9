/** Booking by hand, as the owner of the tables could: what the database itself refuses, whoever asks. */
import type { JobId } from "@contingent/core/ids";
import type { AccountClass, TransactionKind } from "@contingent/core/books/accounts";
import { newId } from "@contingent/db/ids";
import { type Pool, transaction } from "@contingent/db/pool";

export interface Statement {
  readonly text: string;
  readonly values?: unknown[];
}

/** Class, whose, amount. */
export type Leg = readonly [AccountClass, string, bigint];

export interface ByHand {
  readonly id: string;
  readonly kind: TransactionKind;
  readonly key: string;
  readonly jobId: JobId;
}

/** The transaction that ends or begins a job's hold under its usual key, or under another one. */
export function bookedByHand(kind: TransactionKind, jobId: JobId, key = `${kind}:${jobId}`): ByHand {
  return { id: newId("txn"), kind, key: kind === "capture" ? key.replace("capture", "charge") : key, jobId };
}

export function head({ id, kind, key, jobId }: ByHand): Statement {
  // Whose money it is follows from the job; the operator's own costs are nobody's.
  const text = `
    INSERT INTO ledger_transaction (id, kind, key, job_id, currency, customer_id)
    SELECT $1, $2, $3, $4, 'USD', CASE WHEN $2 <> 'cost' THEN (SELECT customer_id FROM job WHERE id = $4) END`;
  return { text, values: [id, kind, key, jobId] };
}

export interface LegOptions {
  readonly from?: number;
  readonly kind?: TransactionKind;
  readonly currency?: string;
  /** Claims to have been written by another transaction of the database. */
  readonly xact?: string;
}

export function legs(booked: ByHand, lines: readonly Leg[], options: LegOptions = {}): Statement {
  return legsOfSeveral([[booked, lines]], options);
}

/** The legs of several transactions in one statement. */
export function legsOfSeveral(
  entries: readonly (readonly [ByHand, readonly Leg[]])[],
  options: LegOptions = {},
): Statement {
  const rows = entries.flatMap(([{ id, kind }, lines]) =>
    lines.map(([accountClass, of, amount], n) => ({
      transaction_id: id,
      seq: n + (options.from ?? 1),
      kind: options.kind ?? kind,
      account_class: accountClass,
      account_of: of,
      amount_nanos: amount.toString(),
      currency: options.currency ?? "USD",
    })),
  );
  const text = `
    INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency, xact)
    SELECT transaction_id, seq, kind, account_class, account_of, amount_nanos, currency, coalesce($2::xid8, books_xact())
      FROM jsonb_to_recordset($1::jsonb) AS t (
        transaction_id text, seq int, kind text, account_class text, account_of text, amount_nanos bigint, currency text)`;
  return { text, values: [JSON.stringify(rows), options.xact ?? null] };
}

export function holdLegs(customer: string, amount: bigint): readonly Leg[] {
  return [
    ["memo:contra", "", amount],
    ["customer:authorized", customer, -amount],
  ];
}

export function captureLegs(customer: string, held: bigint, price: bigint): readonly Leg[] {
  return [
    ["customer:authorized", customer, held],
    ["memo:contra", "", -held],
    ["receivable:unbilled", customer, price],
    ["revenue:accrued", "", -price],
  ];
}

/** Runs the statements in one transaction; says `committed`, or by which constraint (or SQLSTATE) they were refused. */
export async function outcomeOf(pool: Pool, ...statements: readonly (Statement | string)[]): Promise<string> {
  try {
    await transaction(pool, async (client) => {
      for (const statement of statements) {
        const { text, values = [] } = typeof statement === "string" ? { text: statement } : statement;
        await client.query({ text, values });
      }
    });
    return "committed";
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    const constraint = "constraint" in error && typeof error.constraint === "string" ? error.constraint : undefined;
    return constraint ?? String(error.code);
  }
}
