/**
 * Prepaid money expires: what is left of a grant past its end goes to breakage. Money that was held for a job at that
 * time and comes back later expires then, under the next number.
 */
import { expiry } from "@contingent/core/books/grants";
import { hasExpired } from "@contingent/core/books/funding";
import type { CustomerId, GrantId } from "@contingent/core/ids";
import { type Currency, formatMoney, nanos } from "@contingent/core/money";
import { lockAccounts } from "@contingent/db/account-lock";
import { transactionRow } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";

/** By the clock that is furthest ahead first, for the index; then by the customer's own. */
const CANDIDATES = `
  SELECT g.customer_id, min(g.expires_at) AS since
    FROM credit_grant g JOIN customer_account a ON a.customer_id = g.customer_id
   WHERE g.available_nanos > 0 AND g.expires_at <= now() + (SELECT clock_offset_max()) AND g.expires_at <= now() + a.clock_offset
   GROUP BY g.customer_id ORDER BY since LIMIT $1`;

/** The account is locked, so nobody takes from the grant, or gives back to it, meanwhile. */
const TAKE_REST = `
  UPDATE credit_grant g SET available_nanos = 0, expiries = expiries + 1
    FROM (SELECT id, available_nanos FROM credit_grant WHERE id = ANY($1::text[])) before
   WHERE g.id = before.id AND g.available_nanos > 0
  RETURNING g.id, g.customer_id, g.expiries, before.available_nanos AS left_nanos`;

const TELL = `
  INSERT INTO customer_event (id, customer_id, type, subject, data, at)
  SELECT e.id, e.customer_id, 'grant.expired', e.subject, e.data, e.at
    FROM jsonb_to_recordset($1::jsonb) AS e (id text, customer_id text, subject text, data jsonb, at timestamptz)
  ON CONFLICT DO NOTHING`;

interface EndedRow {
  readonly id: GrantId;
  readonly customer_id: CustomerId;
  readonly expiries: number;
  readonly left_nanos: bigint;
}

/** Customers whose grants are ended in one transaction, unless said otherwise. */
const CUSTOMERS_MAX = 100;

/** Ends what has expired, of so many customers at most; returns how many there were. */
export async function expireGrants(pool: Pool, limit = CUSTOMERS_MAX, currency: Currency = "USD"): Promise<number> {
  const { rows } = await pool.query<{ customer_id: CustomerId }>({ text: CANDIDATES, values: [limit] });
  if (rows.length === 0) return 0;
  return await transaction(pool, (client) =>
    expireOf(
      client,
      rows.map((row) => row.customer_id),
      currency,
    ),
  );
}

async function expireOf(client: Queryable, customers: readonly CustomerId[], currency: Currency): Promise<number> {
  const accounts = await lockAccounts(client, customers);
  const ended = [...accounts.values()].flatMap(({ grants, nowMs }) => grants.filter((g) => hasExpired(g, nowMs)));
  if (ended.length === 0) return 0;
  const { rows } = await client.query<EndedRow>({ text: TAKE_REST, values: [ended.map(({ id }) => id)] });
  const entries = rows.map((row) => ({ ...row, at: isoTime(accounts.get(row.customer_id)?.nowMs ?? 0) }));
  const booked = entries.map(({ id, customer_id: customerId, expiries: number, left_nanos: left, at }) => ({
    ...transactionRow(expiry({ id, customerId, left: nanos(left), number }), currency),
    dated_at: at,
  }));
  const told = entries.map(({ id, customer_id, expiries, left_nanos: left, at }) => ({
    id: newId("evt"),
    customer_id,
    subject: `${id}:${expiries}`,
    data: { grant: id, amount: formatMoney(nanos(left)) },
    at,
  }));
  await client.query({ text: "SELECT book($1::jsonb)", values: [JSON.stringify(booked)] });
  await client.query({ text: TELL, values: [JSON.stringify(told)] });
  return new Set(rows.map((row) => row.customer_id)).size;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
