/** Customers by their ids, and what the operator may look at of each. */
import type { CustomerId } from "@contingent/core/ids";
import { type LockedAccount, readAccounts } from "./account-lock.ts";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

/** Creates the customer, on account and without limits, unless it exists already. The name of one that exists stays as it is. */
export async function ensureCustomer(
  db: Queryable,
  customer: { readonly id: CustomerId; readonly name: string },
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: "INSERT INTO customer (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    values: [customer.id, customer.name],
  });
  return rowCount === 1;
}

/** A customer with the account as it stands now. */
export interface CustomerView {
  readonly id: CustomerId;
  readonly name: string;
  readonly createdAtMs: number;
  /** By how much a test clock is ahead of the real one, ms. */
  readonly clockOffsetMs: number;
  /** For how many days after a job is closed its texts are kept; null: for ever. */
  readonly retentionDays: number | null;
  readonly account: LockedAccount;
}

interface CustomerRow {
  readonly id: CustomerId;
  readonly name: string;
  readonly created_ms: number;
  readonly offset_ms: number;
  readonly retention_days: number | null;
}

const CUSTOMERS = `
  SELECT c.id, c.name, ${msOf("c.created_at")} AS created_ms, ${msOf("a.clock_offset")} AS offset_ms,
         a.payload_retention_days AS retention_days
    FROM customer c JOIN customer_account a ON a.customer_id = c.id`;

/** One customer, or null. Takes no lock. */
export async function findCustomer(db: Queryable, id: CustomerId): Promise<CustomerView | null> {
  const { rows } = await db.query<CustomerRow>({ text: `${CUSTOMERS} WHERE c.id = $1`, values: [id] });
  return (await viewsOf(db, rows))[0] ?? null;
}

/** Customers by their ids, those after the given one. Takes no lock. */
export async function listCustomers(
  db: Queryable,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly CustomerView[]> {
  const { rows } = await db.query<CustomerRow>({
    text: `${CUSTOMERS} WHERE c.id > $1 ORDER BY c.id LIMIT $2`,
    values: [page.after, page.limit],
  });
  return await viewsOf(db, rows);
}

async function viewsOf(db: Queryable, rows: readonly CustomerRow[]): Promise<readonly CustomerView[]> {
  const accounts = await readAccounts(
    db,
    rows.map(({ id }) => id),
  );
  return rows.flatMap(
    ({ id, name, created_ms: createdAtMs, offset_ms: clockOffsetMs, retention_days: retentionDays }) => {
      const account = accounts.get(id);
      return account === undefined ? [] : [{ id, name, createdAtMs, clockOffsetMs, retentionDays, account }];
    },
  );
}
