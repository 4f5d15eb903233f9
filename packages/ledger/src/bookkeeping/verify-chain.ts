/**
 * Whether the books are those that were sealed: every block is computed again from the transactions and postings, on one
 * snapshot. What has been changed, deleted or put in among old ones since shows. Somebody who rewrites all blocks after the
 * change as well is only found out by a block's hash that was kept elsewhere: the anchor.
 */
import { type Pool, type Queryable, readAll } from "@contingent/db/pool";
import { BOOKED_DAY, contentOf, GENESIS, hashOf, NO_END, SEALED_UNTIL } from "./chain.ts";

export interface VerifyOptions {
  /** Blocks before this number are taken as they are. */
  readonly fromBlock?: number | undefined;
  /** A block's hash, in hex, as it was kept elsewhere. */
  readonly anchor?: { readonly number: number; readonly hash: string } | undefined;
}

export interface ChainReport {
  /** Blocks that were looked at; all of them are as they were sealed, when nothing is wrong. */
  readonly blocks: number;
  readonly transactions: number;
  /** The last block; worth keeping elsewhere. */
  readonly head: { readonly number: number; readonly hash: string } | null;
  /** The first block that is not what was sealed. */
  readonly mismatch: { readonly number: number; readonly what: string } | null;
  /** Transactions and postings that stand in no block although their window is sealed; some of them. */
  readonly strays: readonly string[];
  /** Transactions that wait for the next block. */
  readonly unsealed: number;
}

const BLOCKS_PER_PAGE = 1_000;
const STRAYS_SHOWN_MAX = 20;
const STATEMENT_TIMEOUT_MS = 600_000;

const RECOMPUTED = hashOf({
  previous: "b.previous_hash",
  number: "b.number",
  day: "b.day",
  from: "b.from_xact",
  until: "b.until_xact",
  transactions: "b.transactions",
  postings: "b.postings",
  content: "coalesce(c.content, '')",
});

/** What is wrong with a block, most telling first; null when nothing is. */
const PAGE = `
  SELECT b.number, b.transactions,
         CASE WHEN before.number IS NULL AND b.number > 1 THEN format('block %s is missing', b.number - 1)
              WHEN b.previous_hash <> coalesce(before.hash, ${GENESIS}) THEN 'it does not follow the block before it'
              WHEN b.from_xact <> ALL (ARRAY[coalesce(before.until_xact, '0'::xid8), coalesce(before.from_xact, '0'::xid8)])
                THEN 'its window does not begin where the one before it ends'
              WHEN b.transactions IS DISTINCT FROM c.transactions
                THEN format('%s transactions were sealed, there are %s', b.transactions, coalesce(c.transactions, 0))
              WHEN b.postings IS DISTINCT FROM c.postings
                THEN format('%s postings were sealed, there are %s', b.postings, coalesce(c.postings, 0))
              WHEN b.hash <> ${RECOMPUTED} THEN 'its transactions and postings are not those that were sealed' END AS wrong
    FROM ledger_block b
    LEFT JOIN ledger_block before ON before.number = b.number - 1
    LEFT JOIN LATERAL (${contentOf("b.from_xact", "b.until_xact")}) c ON c.day = b.day
   WHERE b.number >= $1 AND b.number < $1 + ${BLOCKS_PER_PAGE}
   ORDER BY b.number`;

const LAST = "SELECT number, encode(hash, 'hex') AS hash FROM ledger_block ORDER BY number DESC LIMIT 1";
const ANCHORED = "SELECT FROM ledger_block WHERE number = $1 AND hash = decode($2, 'hex')";

/** Whether what lies in the sealed windows from this block on is as much as the blocks say; and what is not sealed yet. */
const COUNTS = `
  WITH start AS (SELECT coalesce((SELECT from_xact FROM ledger_block WHERE number = $1), ${NO_END}) AS xact),
  finish AS (SELECT ${SEALED_UNTIL} AS xact),
  known AS (SELECT coalesce(sum(transactions), 0) AS transactions, coalesce(sum(postings), 0) AS postings
              FROM ledger_block WHERE number >= $1)
  SELECT (SELECT count(*) FROM ledger_transaction WHERE xact >= start.xact AND xact < finish.xact) = known.transactions
           AS transactions_known,
         $1 > 1 OR (SELECT count(*) FROM posting WHERE xact < finish.xact) = known.postings AS postings_known,
         (SELECT count(*)::int FROM ledger_transaction WHERE xact >= finish.xact) AS unsealed
    FROM start, finish, known`;

const STRAY_TRANSACTIONS = `
  SELECT format('%s (%s) stands in the sealed window of its time, and in no block', t.id, t.key) AS what
    FROM ledger_transaction t
   WHERE t.xact < ${SEALED_UNTIL}
     AND t.xact >= (SELECT from_xact FROM ledger_block WHERE number = $1)
     AND NOT EXISTS (
       SELECT FROM ledger_block b WHERE b.from_xact <= t.xact AND b.until_xact > t.xact AND b.day = ${BOOKED_DAY})
   LIMIT ${STRAYS_SHOWN_MAX}`;

const STRAY_POSTINGS = `
  SELECT format('posting %s of %s belongs to no transaction of its time', p.seq, p.transaction_id) AS what
    FROM posting p LEFT JOIN ledger_transaction t ON t.id = p.transaction_id AND t.xact = p.xact
   WHERE t.id IS NULL LIMIT ${STRAYS_SHOWN_MAX}`;

/** Computes the chain again. Reads only, everything from the block on: for people and checks. */
export async function verifyChain(pool: Pool, options: VerifyOptions = {}): Promise<ChainReport> {
  const fromBlock = options.fromBlock ?? 1;
  return await readAll(pool, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (client) => {
    const last = await client.query<{ number: number; hash: string }>({ text: LAST });
    const head = last.rows[0] ?? null;
    const walked = await walk(client, fromBlock, head?.number ?? 0);
    const mismatch = walked.mismatch ?? (await anchorMismatch(client, options.anchor));
    return { ...walked, head, mismatch, ...(await findStrays(client, fromBlock)) };
  });
}

type Walked = Pick<ChainReport, "blocks" | "transactions" | "mismatch">;

/** The blocks in their order, up to the first one that is wrong. */
async function walk(client: Queryable, fromBlock: number, lastBlock: number): Promise<Walked> {
  const seen = { blocks: 0, transactions: 0 };
  for (let page = fromBlock; page <= lastBlock; page += BLOCKS_PER_PAGE) {
    const { rows } = await client.query<{ number: number; transactions: number; wrong: string | null }>({
      text: PAGE,
      values: [page],
    });
    for (const { number, transactions, wrong } of rows) {
      if (wrong !== null) return { ...seen, mismatch: { number, what: wrong } };
      seen.blocks += 1;
      seen.transactions += transactions;
    }
  }
  return { ...seen, mismatch: null };
}

async function anchorMismatch(client: Queryable, anchor: VerifyOptions["anchor"]): Promise<ChainReport["mismatch"]> {
  if (anchor === undefined) return null;
  const { rows } = await client.query({ text: ANCHORED, values: [anchor.number, anchor.hash] });
  if (rows.length === 1) return null;
  return { number: anchor.number, what: "its hash is not the one that was kept elsewhere" };
}

/** Counting is cheap and says whether there are strays; finding them is not, and is done only then. */
async function findStrays(client: Queryable, fromBlock: number): Promise<Pick<ChainReport, "strays" | "unsealed">> {
  const { rows } = await client.query<{ transactions_known: boolean; postings_known: boolean; unsealed: number }>({
    text: COUNTS,
    values: [fromBlock],
  });
  const [counted] = rows;
  const strays: string[] = [];
  const look = async (text: string, values: readonly number[]): Promise<void> => {
    const found = await client.query<{ what: string }>({ text, values: [...values] });
    strays.push(...found.rows.map((row) => row.what));
  };
  if (counted?.transactions_known === false) await look(STRAY_TRANSACTIONS, [fromBlock]);
  if (counted?.postings_known === false) await look(STRAY_POSTINGS, []);
  return { strays, unsealed: counted?.unsealed ?? 0 };
}
