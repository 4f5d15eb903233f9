/**
 * Prepaid money comes in: paid by the customer, or given by the operator. The grant and its transaction are written
 * together, under the lock of the customer's account, so that a reference brings money in once.
 */
import { type NewGrant, promotion, topUp } from "@contingent/core/books/grants";
import type { CustomerId } from "@contingent/core/ids";
import type { Currency, Nanos } from "@contingent/core/money";
import { type LockedAccount, lockAccounts } from "@contingent/db/account-lock";
import { transactionRow } from "@contingent/db/commit";
import { GRANT_COLUMNS, grantOf, type GrantRow, type GrantView } from "@contingent/db/grants";
import { newId } from "@contingent/db/ids";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";

export interface IncomingMoney {
  readonly customerId: CustomerId;
  readonly kind: "top_up" | "promotion";
  /** The operator's own name for it: the same reference never brings money in twice. */
  readonly ref: string;
  readonly amount: Nanos;
  /** The lower, the earlier it is spent. */
  readonly priority: number;
  /** By the customer's clock, ms since the epoch; null: never. */
  readonly expiresAtMs: number | null;
  /** What it may be spent on; null: on everything. */
  readonly outcomeTypes: readonly string[] | null;
}

export type BroughtIn =
  | { readonly kind: "granted"; readonly grant: GrantView; readonly isNew: boolean }
  | { readonly kind: "no_customer" }
  /** The customer is billed on account and has no prepaid money. */
  | { readonly kind: "on_account" }
  /** The reference has brought in something else before. */
  | { readonly kind: "ref_reused"; readonly grant: GrantView }
  | { readonly kind: "expired"; readonly nowMs: number };

const BY_REF = `SELECT ${GRANT_COLUMNS} FROM credit_grant WHERE customer_id = $1 AND kind = $2 AND ref = $3`;

const INSERT = `
  INSERT INTO credit_grant (id, customer_id, kind, ref, amount_nanos, available_nanos, priority, expires_at, outcome_types, created_at)
  VALUES ($1, $2, $3, $4, $5, $5, $6, to_timestamp($7::float8 / 1000), $8, to_timestamp($9::float8 / 1000))
  RETURNING ${GRANT_COLUMNS}`;

/** Brings the money in, or says why not. Safe to repeat: the second time it answers with the grant of the first. */
export async function bringIn(pool: Pool, money: IncomingMoney, currency: Currency = "USD"): Promise<BroughtIn> {
  return await transaction(pool, async (client) => {
    const account = (await lockAccounts(client, [money.customerId])).get(money.customerId);
    if (account === undefined) return { kind: "no_customer" };
    const earlier = await client.query<GrantRow>({
      text: BY_REF,
      values: [money.customerId, money.kind, money.ref],
    });
    const [row] = earlier.rows;
    if (row !== undefined) {
      const grant = grantOf(row);
      return isSame(grant, money) ? { kind: "granted", grant, isNew: false } : { kind: "ref_reused", grant };
    }
    if (account.billing !== "prepaid") return { kind: "on_account" };
    if (money.expiresAtMs !== null && money.expiresAtMs <= account.nowMs) {
      return { kind: "expired", nowMs: account.nowMs };
    }
    return { kind: "granted", grant: await write(client, account, money, currency), isNew: true };
  });
}

function isSame(grant: GrantView, money: IncomingMoney): boolean {
  const content = ({ amount, priority, expiresAtMs, outcomeTypes }: GrantView | IncomingMoney): string =>
    JSON.stringify([amount.toString(), priority, expiresAtMs, outcomeTypes?.toSorted() ?? null]);
  return content(grant) === content(money);
}

async function write(
  client: Queryable,
  account: LockedAccount,
  money: IncomingMoney,
  currency: Currency,
): Promise<GrantView> {
  const { customerId, kind, ref, amount, priority, expiresAtMs, outcomeTypes } = money;
  const grant: NewGrant = { id: newId("gra"), customerId, ref, amount };
  const { rows } = await client.query<GrantRow>({
    text: INSERT,
    values: [grant.id, customerId, kind, ref, amount, priority, expiresAtMs, outcomeTypes, account.nowMs],
  });
  const booked = transactionRow(kind === "top_up" ? topUp(grant) : promotion(grant), currency);
  const entries = [{ ...booked, dated_at: new Date(account.nowMs).toISOString() }];
  await client.query({ text: "SELECT book($1::jsonb)", values: [JSON.stringify(entries)] });
  const [row] = rows;
  if (row === undefined) throw new Error(`the grant ${grant.id} was not stored`);
  return grantOf(row);
}
