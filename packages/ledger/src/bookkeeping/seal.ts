/**
 * One round of bookkeeping: what has been written since the last block is sealed and rolled up, in one transaction of the
 * database. Any number may try; one at a time does it.
 *
 * A window ends below the oldest database transaction that is still running, so that nobody can write into it any more: what
 * a long transaction writes is found by the round after its end. Locks: the advisory lock, then rows of the roll-ups, which
 * nobody else writes. Index: `ledger_transaction_by_xact`.
 */
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { contentOf, GENESIS, hashOf } from "./chain.ts";
import { movementsOf } from "./movements.ts";
import { MARGIN_COLUMNS, MARGIN_KEY, MARGIN_MEASURES, marginLines } from "./margin-lines.ts";

/** Held until the round's commit. */
const ADVISORY_LOCK = 5_391_002;

/** Ledger transactions in a window: a first round over a long history is many rounds. */
export const WINDOW_TRANSACTIONS_MAX = 20_000;

export interface Sealed {
  readonly blocks: number;
  readonly transactions: number;
  /** There is more that could be sealed at once. */
  readonly isMore: boolean;
}

const TAKE_LOCK = "SELECT pg_try_advisory_xact_lock($1) AS taken";

/** From where the last block ends to the oldest running transaction, or to the end of the n-th transaction if that is sooner. */
const WINDOW = `
  WITH last AS (SELECT number, hash, until_xact FROM ledger_block ORDER BY number DESC LIMIT 1),
  start AS (SELECT coalesce((SELECT until_xact FROM last), '0'::xid8) AS xact),
  horizon AS (SELECT books_horizon() AS xact),
  full_at AS (
    SELECT t.xact FROM ledger_transaction t
     WHERE t.xact >= (SELECT xact FROM start) AND t.xact < (SELECT xact FROM horizon)
     ORDER BY t.xact OFFSET $1::int - 1 LIMIT 1)
  SELECT (SELECT xact FROM start)::text AS from_xact,
         coalesce((SELECT (xact::text::bigint + 1)::text FROM full_at), (SELECT xact FROM horizon)::text) AS until_xact,
         EXISTS (SELECT FROM full_at) AS is_full,
         coalesce((SELECT number FROM last), 0) AS last_number,
         coalesce((SELECT hash FROM last), ${GENESIS}) AS last_hash`;

interface WindowRow {
  readonly from_xact: string;
  readonly until_xact: string;
  readonly is_full: boolean;
  readonly last_number: number;
  readonly last_hash: Buffer;
}

const NEXT_HASH = hashOf({
  previous: "c.hash",
  number: "$3::int + d.n",
  day: "d.day",
  from: "$1::xid8",
  until: "$2::xid8",
  transactions: "d.transactions",
  postings: "d.postings",
  content: "d.content",
});

/** A block for each day of the window, the days in their order. */
const SEAL = `
  WITH RECURSIVE dated AS MATERIALIZED (
    SELECT (row_number() OVER (ORDER BY day))::int AS n, * FROM (${contentOf("$1::xid8", "$2::xid8")}) content
  ), chained AS (
    SELECT 0 AS n, NULL::date AS day, 0 AS transactions, 0 AS postings, NULL::bytea AS previous, $4::bytea AS hash
    UNION ALL
    SELECT d.n, d.day, d.transactions, d.postings, c.hash, ${NEXT_HASH}
      FROM chained c JOIN dated d ON d.n = c.n + 1
  )
  INSERT INTO ledger_block (number, day, from_xact, until_xact, transactions, postings, hash, previous_hash)
  SELECT $3::int + n, day, $1::xid8, $2::xid8, transactions, postings, hash, previous FROM chained WHERE n > 0
  RETURNING transactions`;

const MOVE = `
  INSERT INTO account_movement AS m (account_class, account_of, currency, day, debit_nanos, credit_nanos, postings)
  ${movementsOf("t.xact >= $1::xid8 AND t.xact < $2::xid8")}
  ON CONFLICT (account_class, account_of, currency, day) DO UPDATE
     SET debit_nanos = m.debit_nanos + excluded.debit_nanos, credit_nanos = m.credit_nanos + excluded.credit_nanos,
         postings = m.postings + excluded.postings`;

const ROLL_UP = `
  INSERT INTO margin_rollup AS m (${MARGIN_COLUMNS.join(", ")})
  ${marginLines("$1::xid8", "$2::xid8")}
  ON CONFLICT (${MARGIN_KEY.join(", ")}) DO UPDATE
     SET ${MARGIN_MEASURES.map((name) => `${name} = m.${name} + excluded.${name}`).join(", ")}`;

/** Seals the next window; null when another bookkeeper is at it. */
export async function sealWindow(pool: Pool, transactionsMax = WINDOW_TRANSACTIONS_MAX): Promise<Sealed | null> {
  return await transaction(pool, async (client) => {
    const lock = await client.query<{ taken: boolean }>({ text: TAKE_LOCK, values: [ADVISORY_LOCK] });
    if (lock.rows[0]?.taken !== true) return null;
    const found = await client.query<WindowRow>({ text: WINDOW, values: [transactionsMax] });
    const [window] = found.rows;
    return window === undefined ? null : await seal(client, window);
  });
}

async function seal(client: Queryable, window: WindowRow): Promise<Sealed> {
  const bounds = [window.from_xact, window.until_xact];
  const sealed = await client.query<{ transactions: number }>({
    text: SEAL,
    values: [...bounds, window.last_number, window.last_hash],
  });
  if (sealed.rows.length > 0) {
    await client.query({ text: MOVE, values: bounds });
    await client.query({ text: ROLL_UP, values: bounds });
  }
  const transactions = sealed.rows.reduce((total, row) => total + row.transactions, 0);
  return { blocks: sealed.rows.length, transactions, isMore: window.is_full };
}
