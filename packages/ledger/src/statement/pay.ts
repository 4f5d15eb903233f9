/**
 * Payments of statements. Locks the customer's account, by whose clock a payment is dated, then the statement, so that
 * two payments cannot both fit; the trigger `payment_fits` is the second line.
 */
import { paid } from "@contingent/core/books/statements";
import type { CustomerId, StatementId } from "@contingent/core/ids";
import { type Currency, type Nanos, nanos, subtract } from "@contingent/core/money";
import { msOf } from "@contingent/db/job-row";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { book } from "../book.ts";

export interface Payment {
  readonly statementId: StatementId;
  /** The operator's own name for it: the same one pays once. */
  readonly ref: string;
  readonly amount: Nanos;
}

export type Paying =
  | { readonly kind: "paid" }
  /** The same payment was told before. */
  | { readonly kind: "paid_before" }
  | { readonly kind: "no_statement" }
  | { readonly kind: "not_closed" }
  /** The reference stands for another payment. */
  | { readonly kind: "ref_taken"; readonly statementId: StatementId; readonly amount: Nanos }
  | { readonly kind: "too_much"; readonly balance: Nanos };

const LOCK_ACCOUNT = `
  SELECT a.customer_id, ${msOf("date_trunc('milliseconds', greatest(clock_timestamp() + a.clock_offset, a.closed_until))")} AS at_ms
    FROM customer_account a WHERE a.customer_id = (SELECT customer_id FROM statement WHERE id = $1) FOR NO KEY UPDATE`;

const LOCK_STATEMENT = "SELECT state, currency, amount_due_nanos FROM statement WHERE id = $1 FOR NO KEY UPDATE";

const BY_REF = "SELECT statement_id, amount_nanos FROM statement_payment WHERE ref = $1";

const PAID = "SELECT coalesce(sum(amount_nanos), 0)::bigint AS paid FROM statement_payment WHERE statement_id = $1";

/** Waits for whoever else inserts the same reference, and inserts nothing when they did. */
const INSERT = `
  INSERT INTO statement_payment (statement_id, ref, amount_nanos, at) VALUES ($1, $2, $3, to_timestamp($4::float8 / 1000)) ON CONFLICT (ref) DO NOTHING`;

interface LockedStatement {
  readonly state: string;
  readonly currency: Currency;
  readonly amount_due_nanos: bigint;
}

/** Books the payment, unless it does not fit. Safe to repeat. */
export async function payStatement(pool: Pool, payment: Payment): Promise<Paying> {
  return await transaction(pool, async (client): Promise<Paying> => {
    const { statementId: id, ref, amount } = payment;
    const accounts = await client.query<{ customer_id: CustomerId; at_ms: number }>({
      text: LOCK_ACCOUNT,
      values: [id],
    });
    const [account] = accounts.rows;
    if (account === undefined) return { kind: "no_statement" };
    const statements = await client.query<LockedStatement>({ text: LOCK_STATEMENT, values: [id] });
    const [statement] = statements.rows;
    if (statement?.state !== "closed") return { kind: "not_closed" };
    const known = await paidBefore(client, payment);
    if (known !== null) return known;
    const { rows } = await client.query<{ paid: bigint }>({ text: PAID, values: [id] });
    const balance = subtract(nanos(statement.amount_due_nanos), nanos(rows[0]?.paid ?? 0n));
    if (amount > balance) return { kind: "too_much", balance };
    const inserted = await client.query({ text: INSERT, values: [id, ref, amount, account.at_ms] });
    if (inserted.rowCount === 0) return (await paidBefore(client, payment)) ?? { kind: "paid_before" };
    const booked = paid({ id, customerId: account.customer_id, amount, ref });
    await book(client, [{ transaction: booked, currency: statement.currency, atMs: account.at_ms }]);
    return { kind: "paid" };
  });
}

/** What is known under the payment's reference; null: nothing. */
async function paidBefore(client: Queryable, { statementId, ref, amount }: Payment): Promise<Paying | null> {
  const { rows } = await client.query<{ statement_id: StatementId; amount_nanos: bigint }>({
    text: BY_REF,
    values: [ref],
  });
  const [known] = rows;
  if (known === undefined) return null;
  if (known.statement_id === statementId && known.amount_nanos === amount) return { kind: "paid_before" };
  return { kind: "ref_taken", statementId: known.statement_id, amount: nanos(known.amount_nanos) };
}
