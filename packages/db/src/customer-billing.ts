/**
 * How a customer pays: prepaid or on account, up to which limit, and when to tell of it.
 *
 * Locks: the customer's account, so that no job is accepted and none is closed between what is looked at here and what is
 * written. Indexes: `ledger_transaction_by_customer`, `charge_by_customer`.
 */
import type { Billing, LimitPeriod } from "@contingent/core/books/funding";
import type { CustomerId } from "@contingent/core/ids";
import { add, type Nanos, nanos, ZERO } from "@contingent/core/money";
import { type LockedAccount, lockAccounts } from "./account-lock.ts";
import { ensureCustomer } from "./customers.ts";
import { type Pool, type Queryable, transaction } from "./pool.ts";

export interface BillingSettings {
  readonly billing: Billing;
  readonly limit: { readonly amount: Nanos; readonly period: LimitPeriod } | null;
  /** Shares of the limit at which an event tells of it. */
  readonly alertShares: readonly number[];
  /** The prepaid balance below which an event tells of it; null: never. */
  readonly alertBelow: Nanos | null;
  /** How many jobs may be open at once; null: what the deployment allows everybody. */
  readonly openJobsMax: number | null;
}

export interface NewCustomer extends BillingSettings {
  readonly id: CustomerId;
  readonly name: string;
}

/** Creates a customer. A repeat of the same changes nothing, and `differs` means that the id is taken by another one. */
export async function createCustomer(pool: Pool, wanted: NewCustomer): Promise<"created" | "same" | "differs"> {
  return await transaction(pool, async (client) => {
    const isNew = await ensureCustomer(client, wanted);
    const account = await lockedAccount(client, wanted.id);
    if (isNew) {
      await write(client, wanted.id, account, wanted);
      return "created";
    }
    const { rows } = await client.query<{ name: string }>({
      text: "SELECT name FROM customer WHERE id = $1",
      values: [wanted.id],
    });
    return rows[0]?.name === wanted.name && isSame(account, wanted) ? "same" : "differs";
  });
}

/** `in_use`: jobs were accepted or money was moved under the present way of billing, so it stays. */
export type BillingChange = "changed" | "no_customer" | "in_use";

/**
 * Changes how a customer pays. The way of billing can change only while nothing was booked for the customer. A limit below
 * what is in use already refuses new jobs and breaks no accepted one.
 */
export async function changeBilling(
  pool: Pool,
  customerId: CustomerId,
  wanted: BillingSettings,
): Promise<BillingChange> {
  return await transaction(pool, async (client) => {
    const account = (await lockAccounts(client, [customerId])).get(customerId);
    if (account === undefined) return "no_customer";
    if (account.billing !== wanted.billing && (await isInUse(client, customerId))) return "in_use";
    await write(client, customerId, account, wanted);
    return "changed";
  });
}

async function lockedAccount(client: Queryable, customerId: CustomerId): Promise<LockedAccount> {
  const account = (await lockAccounts(client, [customerId])).get(customerId);
  if (account === undefined) throw new Error(`the customer ${customerId} has no account`);
  return account;
}

function isSame(account: LockedAccount, wanted: BillingSettings): boolean {
  const settings = ({ billing, limit, alertShares, alertBelow, openJobsMax }: BillingSettings): string =>
    JSON.stringify([
      billing,
      limit?.amount.toString(),
      limit?.period,
      alertShares,
      alertBelow?.toString(),
      openJobsMax,
    ]);
  return settings(account) === settings(wanted);
}

/** Every job has a hold in the books, and every grant its transaction. */
async function isInUse(client: Queryable, customerId: CustomerId): Promise<boolean> {
  const { rowCount } = await client.query({
    text: "SELECT FROM ledger_transaction WHERE customer_id = $1 LIMIT 1",
    values: [customerId],
  });
  return rowCount !== 0;
}

const WRITE = `
  UPDATE customer_account
     SET billing = $2, limit_nanos = $3, limit_period = $4, limit_floor_nanos = $5, alert_shares = $6, alert_below_nanos = $7,
         spent_nanos = $8, spent_from = period_start($9, to_timestamp($10::float8 / 1000)), open_jobs_max = $11,
         updated_at = now()
   WHERE customer_id = $1`;

async function write(
  client: Queryable,
  customerId: CustomerId,
  account: LockedAccount,
  wanted: BillingSettings,
): Promise<void> {
  const { billing, limit, alertShares, alertBelow, openJobsMax } = wanted;
  const period = limit?.period ?? "month";
  const isSamePeriod = period === (account.limit?.period ?? "month");
  const spent = isSamePeriod ? account.spent : await spentWithin(client, customerId, period, account.nowMs);
  const used = add(account.held, spent);
  const floor = limit !== null && used > limit.amount ? used : ZERO;
  const values = [customerId, billing, limit?.amount ?? null, limit?.period ?? null, floor];
  const rest = [alertShares, alertBelow, spent, period, account.nowMs, openJobsMax];
  await client.query({ text: WRITE, values: [...values, ...rest] });
}

/** What was charged since the period began that the instant lies in. */
async function spentWithin(
  client: Queryable,
  customerId: CustomerId,
  period: LimitPeriod,
  nowMs: number,
): Promise<Nanos> {
  const { rows } = await client.query<{ spent: bigint }>({
    text: `SELECT coalesce(sum(amount_nanos), 0)::bigint AS spent FROM charge
            WHERE customer_id = $1 AND at >= period_start($2, to_timestamp($3::float8 / 1000))`,
    values: [customerId, period, nowMs],
  });
  return nanos(rows[0]?.spent ?? 0n);
}
