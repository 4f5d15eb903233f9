/**
 * What a block's hash is of. Text that says the same on every server: times in microseconds, order by bytes, nothing that
 * depends on a setting. Sealing and verifying use these fragments and no others.
 */

/** The day that a transaction is sealed under: of UTC, by the database's own clock. */
export const BOOKED_DAY = "(t.at AT TIME ZONE 'UTC')::date";

/** Before the first block. */
export const GENESIS = "decode(repeat('00', 32), 'hex')";

/** What older database transactions wrote is sealed; an SQL expression. */
export const SEALED_UNTIL = "coalesce((SELECT until_xact FROM ledger_block ORDER BY number DESC LIMIT 1), '0'::xid8)";
/** Later than every database transaction. */
export const NO_END = "'18446744073709551615'::xid8";

const TRANSACTION_TEXT = `
  json_build_array(t.xact::text, t.id, t.kind, t.key, t.job_id, t.customer_id, t.currency,
                   (extract(epoch FROM t.at) * 1000000)::bigint, (extract(epoch FROM t.dated_at) * 1000000)::bigint,
                   p.lines)::text`;

/** Per booked day of the window: how much there is, and the hash of all of it. The bounds are SQL expressions. */
export function contentOf(from: string, until: string): string {
  return `
  SELECT t.day, count(*)::int AS transactions, sum(t.postings)::int AS postings,
         sha256(convert_to(string_agg(t.line, E'\\n' ORDER BY t.xact, t.id COLLATE "C"), 'UTF8')) AS content
    FROM (SELECT t.xact, t.id, ${BOOKED_DAY} AS day, p.postings, ${TRANSACTION_TEXT} AS line
            FROM ledger_transaction t
           CROSS JOIN LATERAL (
             SELECT count(*) AS postings,
                    json_agg(json_build_array(seq, kind, account_class, account_of, amount_nanos, currency) ORDER BY seq) AS lines
               FROM posting WHERE transaction_id = t.id) p
           WHERE t.xact >= ${from} AND t.xact < ${until}) t
   GROUP BY t.day`;
}

/** The hash of a block: of the one before, of what it says of itself, and of its content. Arguments are SQL expressions. */
export function hashOf(block: {
  readonly previous: string;
  readonly number: string;
  readonly day: string;
  readonly from: string;
  readonly until: string;
  readonly transactions: string;
  readonly postings: string;
  readonly content: string;
}): string {
  const { previous, number, day, from, until, transactions, postings, content } = block;
  const header = `json_build_array(${number}, to_char(${day}, 'YYYY-MM-DD'), (${from})::text, (${until})::text, ${transactions}, ${postings})::text`;
  return `sha256(${previous} || convert_to(${header}, 'UTF8') || ${content})`;
}
