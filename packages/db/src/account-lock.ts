/**
 * Customers' accounts, locked for as long as a transaction that takes money from them lasts.
 *
 * Locks: the rows of `customer_account`, in the order of the customers' ids, so that two batches cannot wait for each
 * other. Nobody waits for a job while holding one of them. Grants are read by a statement of their own, after the lock is
 * there: the statement that waits for a lock has seen the world before it. Terms are read by a function that looks again. Indexes: the primary key, `credit_grant_usable`.
 */
import type { AlertThresholds } from "@contingent/core/books/alerts";
import type { Billing, FundingAccount, Grant, LimitPeriod } from "@contingent/core/books/funding";
import type { CustomerId, CustomerTermsId, GrantId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

export interface LockedAccount extends FundingAccount, AlertThresholds {
  /** The terms that are in force for the customer now; null: list prices. */
  readonly termsId: CustomerTermsId | null;
  /** Jobs that are not closed, and how many of them there may be; null: what the deployment allows everybody. */
  readonly openJobs: number;
  readonly openJobsMax: number | null;
  /** The database's clock, which turns are told by, ms since the epoch. */
  readonly clockMs: number;
}

interface AccountRow {
  readonly customer_id: CustomerId;
  readonly billing: Billing;
  readonly limit_nanos: bigint | null;
  readonly limit_period: LimitPeriod | null;
  readonly limit_floor_nanos: bigint;
  readonly held_nanos: bigint;
  readonly spent_nanos: bigint;
  readonly alert_shares: readonly number[];
  readonly alert_below_nanos: bigint | null;
  readonly period_start_ms: number;
  readonly now_ms: number;
  readonly terms_id: CustomerTermsId | null;
  readonly open_jobs: number;
  readonly open_jobs_max: number | null;
  readonly clock_ms: number;
}

/** What was spent counts only while its period lasts. */
const SPENT_IN_PERIOD = `
  CASE WHEN a.spent_from >= period_start(coalesce(a.limit_period, 'month'), n.at) THEN a.spent_nanos ELSE 0 END`;

/** The accounts of these rows. What is computed here is computed after the rows were read: after their lock, where there is one. */
const accountsFrom = (rows: string): string => `
  SELECT a.customer_id, a.billing, a.limit_nanos, a.limit_period, a.limit_floor_nanos, a.held_nanos,
         ${SPENT_IN_PERIOD} AS spent_nanos, a.alert_shares, a.alert_below_nanos,
         ${msOf("period_start(coalesce(a.limit_period, 'month'), n.at)")} AS period_start_ms, ${msOf("n.at")} AS now_ms,
         terms_in_force(a.customer_id, n.at) AS terms_id, a.open_jobs, a.open_jobs_max,
         ${msOf("n.clock")} AS clock_ms
    FROM (${rows}) a
   CROSS JOIN LATERAL (
     SELECT date_trunc('milliseconds', greatest(clock_timestamp() + a.clock_offset, a.closed_until)) AS at,
            date_trunc('milliseconds', clock_timestamp()) AS clock) n`;

const WANTED = "SELECT * FROM customer_account WHERE customer_id = ANY($1::text[])";
const ACCOUNT = accountsFrom(WANTED);
/**
 * The lock stands in a subquery. Beside it, the clock would be read before the wait for the lock and not again after it: a
 * job could be dated within a period that was closed meanwhile, or before terms that it should have been accepted under.
 */
const LOCK = accountsFrom(`${WANTED} ORDER BY customer_id FOR NO KEY UPDATE`);

interface GrantRow {
  readonly id: GrantId;
  readonly customer_id: CustomerId;
  readonly available_nanos: bigint;
  readonly priority: number;
  readonly expires_ms: number | null;
  readonly outcome_types: readonly string[] | null;
}

const GRANTS = `
  SELECT id, customer_id, available_nanos, priority, ${msOf("expires_at")} AS expires_ms, outcome_types
    FROM credit_grant WHERE customer_id = ANY($1::text[]) AND available_nanos > 0`;

/** Locks these customers' accounts until the transaction ends. A customer without an account is left out. */
export async function lockAccounts(
  client: Queryable,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, LockedAccount>> {
  return await read(client, { name: "lock-accounts", text: LOCK }, customers);
}

const LOCK_CLOCKS = `
  SELECT a.customer_id,
         ${msOf("date_trunc('milliseconds', greatest(clock_timestamp() + a.clock_offset, a.closed_until))")} AS now_ms
    FROM (${WANTED} ORDER BY customer_id FOR NO KEY UPDATE) a`;

/**
 * Locks these customers' accounts like `lockAccounts`, for whoever needs only their clocks, ms since the epoch: what is
 * dated by them while the lock lasts cannot fall into a period that is being closed.
 */
export async function lockClocks(
  client: Queryable,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, number>> {
  const { rows } = await client.query<Pick<AccountRow, "customer_id" | "now_ms">>({
    name: "lock-clocks",
    text: LOCK_CLOCKS,
    values: [[...new Set(customers)]],
  });
  return new Map(rows.map((row) => [row.customer_id, row.now_ms]));
}

/** The accounts as they stand, without a lock: for looking at. */
export async function readAccounts(
  client: Queryable,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, LockedAccount>> {
  return await read(client, { name: "read-accounts", text: ACCOUNT }, customers);
}

async function read(
  client: Queryable,
  statement: { readonly name: string; readonly text: string },
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, LockedAccount>> {
  const { rows } = await client.query<AccountRow>({ ...statement, values: [[...new Set(customers)]] });
  const prepaid = rows.filter(({ billing }) => billing === "prepaid").map((row) => row.customer_id);
  const grants = await grantsOf(client, prepaid);
  return new Map(rows.map((row) => [row.customer_id, accountOf(row, grants.get(row.customer_id) ?? [])]));
}

async function grantsOf(
  client: Queryable,
  customers: readonly CustomerId[],
): Promise<ReadonlyMap<CustomerId, readonly Grant[]>> {
  if (customers.length === 0) return new Map();
  const { rows } = await client.query<GrantRow>({ name: "read-grants", text: GRANTS, values: [customers] });
  const byCustomer = Map.groupBy(rows, (row) => row.customer_id);
  return new Map(Array.from(byCustomer, ([customer, own]) => [customer, own.map(grantOf)]));
}

function grantOf(row: GrantRow): Grant {
  const { id, available_nanos: available, priority, expires_ms: expiresAtMs, outcome_types: outcomeTypes } = row;
  return { id, available: nanos(available), priority, expiresAtMs, outcomeTypes };
}

function accountOf(row: AccountRow, grants: readonly Grant[]): LockedAccount {
  const { limit_nanos: amount, limit_period: period } = row;
  const limit = amount === null || period === null ? null : { amount: nanos(amount), period };
  return {
    billing: row.billing,
    limit: limit === null ? null : { ...limit, floor: nanos(row.limit_floor_nanos) },
    held: nanos(row.held_nanos),
    spent: nanos(row.spent_nanos),
    grants,
    nowMs: row.now_ms,
    termsId: row.terms_id,
    openJobs: row.open_jobs,
    openJobsMax: row.open_jobs_max,
    clockMs: row.clock_ms,
    periodStartMs: row.period_start_ms,
    alertShares: row.alert_shares,
    alertBelow: row.alert_below_nanos === null ? null : nanos(row.alert_below_nanos),
  };
}
