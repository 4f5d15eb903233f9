/** What must be true of statements and closed periods. See invariants.ts. */
import type { StatementId } from "@contingent/core/ids";
import { statementTotals } from "@contingent/core/statement/totals";
import type { Queryable } from "@contingent/db/pool";
import { addUpLines, type TermsById } from "./lines.ts";
import { differingReduction } from "./reductions.ts";
import { closedOf, STATEMENT_COLUMNS, type StatementRow, totalsColumns } from "./row.ts";

const CLOSING_KINDS = "('adjustment', 'commitment', 'rounding', 'statement')";

/** The figures of a closed statement are what its closing has booked, kind by kind. */
const closings = (join: "FULL" | "RIGHT"): string => `
  SELECT format('%s: states %s, booked %s', coalesce(s.id, b.id), s.figures, b.figures) AS what
    FROM (SELECT id, (allowance_nanos + allowance_prepaid_nanos, bands_nanos + bands_prepaid_nanos,
                      discount_nanos + discount_prepaid_nanos, fixed_discount_nanos + fixed_discount_prepaid_nanos,
                      allowance_nanos + bands_nanos + discount_nanos + fixed_discount_nanos,
                      commitment_nanos, rounding_nanos, amount_due_nanos)::text AS figures
            FROM statement WHERE state = 'closed') s
    ${join} JOIN (
      SELECT split_part(t.key, ':', 2) AS id,
             (coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'contra_revenue:adjustment' AND account_of = 'allowance'), 0)::bigint,
              coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'contra_revenue:adjustment' AND account_of = 'bands'), 0)::bigint,
              coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'contra_revenue:adjustment' AND account_of = 'discount'), 0)::bigint,
              coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'contra_revenue:adjustment' AND account_of = 'fixed_discount'), 0)::bigint,
              coalesce(-sum(p.amount_nanos) FILTER (WHERE t.kind = 'adjustment' AND account_class = 'receivable:unbilled'), 0)::bigint,
              coalesce(-sum(p.amount_nanos) FILTER (WHERE account_class = 'revenue:commitment'), 0)::bigint,
              coalesce(-sum(p.amount_nanos) FILTER (WHERE account_class = 'rounding'), 0)::bigint,
              coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'receivable:billed'), 0)::bigint)::text AS figures
        FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
       WHERE t.kind IN ${CLOSING_KINDS} GROUP BY 1) b ON b.id = s.id
   WHERE s.id IS NULL OR s.figures <> coalesce(b.figures, '(0,0,0,0,0,0,0,0)')`;

/**
 * What customers owe. Not billed: charges and credits on account since the last period that is closed for good. Billed:
 * what statements are due, less payments.
 */
export const RECEIVABLES = `
  SELECT format('%s: unbilled %s, charged less credited since %s %s', a.customer_id, coalesce(p.total, 0), o.since, c.total - n.total) AS what
    FROM customer_account a
   CROSS JOIN LATERAL (
     SELECT coalesce((SELECT min(period_start) FROM statement s WHERE s.customer_id = a.customer_id AND s.state = 'closing'),
                     a.closed_until) AS since) o
   CROSS JOIN LATERAL (SELECT coalesce(sum(amount_nanos), 0) AS total FROM charge
                        WHERE customer_id = a.customer_id AND billing = 'on_account' AND at >= o.since) c
   CROSS JOIN LATERAL (SELECT coalesce(sum(amount_nanos), 0) AS total FROM credit_note
                        WHERE customer_id = a.customer_id AND grant_id IS NULL AND at >= o.since) n
    LEFT JOIN (SELECT account_of, sum(amount_nanos) AS total FROM posting
                WHERE account_class = 'receivable:unbilled' GROUP BY account_of) p ON p.account_of = a.customer_id
   WHERE coalesce(p.total, 0) <> c.total - n.total
  UNION ALL
  SELECT format('%s: billed %s, statements less payments %s', coalesce(p.account_of, s.customer_id), coalesce(p.total, 0), coalesce(s.total, 0))
    FROM (SELECT account_of, sum(amount_nanos) AS total FROM posting
           WHERE account_class = 'receivable:billed' GROUP BY account_of) p
    FULL JOIN (SELECT s.customer_id, sum(s.amount_due_nanos - coalesce(y.total, 0)) AS total
                 FROM statement s
                 LEFT JOIN (SELECT statement_id, sum(amount_nanos) AS total FROM statement_payment GROUP BY 1) y ON y.statement_id = s.id
                WHERE s.state = 'closed' GROUP BY s.customer_id) s ON s.customer_id = p.account_of
   WHERE coalesce(p.total, 0) <> coalesce(s.total, 0)
  UNION ALL
  SELECT format('%s: %s paid of %s', s.id, y.total, s.amount_due_nanos)
    FROM statement s JOIN (SELECT statement_id, sum(amount_nanos) AS total FROM statement_payment GROUP BY 1) y ON y.statement_id = s.id
   WHERE y.total > coalesce(s.amount_due_nanos, 0)`;

const NUMBERS = `
  SELECT format('%s: %s statements, the last number is %s', n.year, n.count, n.last) FROM (
    SELECT split_part(number, '-', 1) AS year, count(*) AS count, max(split_part(number, '-', 2)::bigint) AS last
      FROM statement WHERE state = 'closed' GROUP BY 1) n
    LEFT JOIN statement_number c ON c.year = n.year::int
   WHERE n.count <> n.last OR c.last IS DISTINCT FROM n.last`;

/** That no charge of another statement is among them, and none is missing: `misstated` looks at each line. */
const REDUCTIONS = `
  SELECT format('%s takes %s off its lines, and recorded %s', s.id, s.stated, coalesce(r.total, 0))
    FROM (SELECT id, allowance_nanos + allowance_prepaid_nanos + bands_nanos + bands_prepaid_nanos
                     + discount_nanos + discount_prepaid_nanos AS stated
            FROM statement WHERE state = 'closed') s
    LEFT JOIN (SELECT statement_id, sum(amount_nanos) AS total FROM statement_reduction GROUP BY 1) r ON r.statement_id = s.id
   WHERE s.stated <> coalesce(r.total, 0)`;

/** Statements against the books, and their numbers. That they are what their lines come to: `misstated`. */
export const STATEMENTS = `${closings("FULL")} UNION ALL ${NUMBERS} UNION ALL ${REDUCTIONS}`;
/** Of what was booked since an earlier check: that each closing is its statement's. */
export const CLOSINGS_SINCE = closings("RIGHT");

/**
 * What a later transaction of the database than the one that closed a period has dated into it; what closes a period
 * without a statement of it; and jobs of periods that are closed without one.
 */
const closedPeriods = (job: string): string => `
  SELECT format('%s is dated %s, and was written after that was closed', t.key, t.dated_at) AS what
    FROM statement s
    JOIN ledger_transaction t ON t.customer_id = s.customer_id AND t.dated_at >= s.period_start AND t.dated_at < s.period_end
   WHERE t.xact > s.xact AND t.kind NOT IN ${CLOSING_KINDS}
  UNION ALL
  SELECT format('%s is dated %s, which is in no period of its statement', t.key, t.dated_at)
    FROM ledger_transaction t
    LEFT JOIN statement s ON s.id = split_part(t.key, ':', 2) AND s.customer_id = t.customer_id
         AND t.dated_at >= s.period_start AND t.dated_at < s.period_end
   WHERE t.kind IN ${CLOSING_KINDS} AND s.id IS NULL
  UNION ALL
  SELECT format('%s was closed %s, in a closed period without a statement', j.id, j.closed_at)
    FROM ${job} j JOIN customer_account a ON a.customer_id = j.customer_id
   WHERE j.state = 'closed' AND j.closed_at < a.closed_until AND NOT EXISTS (
     SELECT FROM statement s WHERE s.customer_id = j.customer_id AND s.period_start = period_start('month', j.closed_at))
  UNION ALL
  SELECT format('%s is until %s, and the books of %s are open from %s', s.id, s.period_end, s.customer_id, a.closed_until)
    FROM statement s JOIN customer_account a ON a.customer_id = s.customer_id WHERE s.period_end > a.closed_until`;

export const CLOSED_PERIODS = closedPeriods("job");
export const CLOSED_PERIODS_SINCE = closedPeriods(
  "(SELECT * FROM job WHERE id = ANY (ARRAY(SELECT job_id FROM ledger_transaction WHERE job_id IS NOT NULL)))",
);

const STATEMENTS_PER_PAGE = 500;

const CLOSED = `
  SELECT ${STATEMENT_COLUMNS} FROM statement s
   WHERE s.state = 'closed' AND s.id > $1 AND ($2::text IS NULL OR s.xact >= $2::xid8 OR EXISTS (
     SELECT FROM ledger_transaction t WHERE t.key = 'stmt:' || s.id AND t.xact >= $2::xid8))
   ORDER BY s.id LIMIT ${STATEMENTS_PER_PAGE}`;

/**
 * Every closed statement is added up again from its lines: it must come to the same, to the nano, by the same lines.
 * @param sinceXact only what was begun or closed since this database transaction; null: all of them
 */
export async function misstated(
  client: Queryable,
  terms: TermsById,
  sinceXact: bigint | null,
  shownMax: number,
): Promise<readonly string[]> {
  const violations: string[] = [];
  for (let after = ""; ;) {
    const { rows } = await client.query<StatementRow>({ text: CLOSED, values: [after, sinceXact?.toString() ?? null] });
    for (const row of rows) {
      const what = await misstatement(client, terms, row);
      if (what !== null) violations.push(what);
      if (violations.length >= shownMax) return violations;
    }
    const last: StatementId | undefined = rows.at(-1)?.id;
    if (last === undefined) return violations;
    after = last;
  }
}

async function misstatement(client: Queryable, terms: TermsById, row: StatementRow): Promise<string | null> {
  if (row.state !== "closed") return null;
  const { id, customerId, period, termsId, totals, linesHash } = closedOf(row);
  const from = new Date(period.startMs).toISOString();
  const until = new Date(period.endMs).toISOString();
  let differing: string | null = null;
  const { tally, hash } = await addUpLines(client, terms, { customerId, from, until }, async (lines) => {
    differing ??= await differingReduction(client, id, lines);
  });
  const due = statementTotals(tally, termsId === null ? null : await terms(termsId));
  const [stated, added] = [totals, due].map((each) => JSON.stringify(totalsColumns(each, new Map())));
  if (stated !== added) return `${id} states ${stated}; its lines come to ${added}`;
  if (differing !== null) return differing;
  return hash === linesHash ? null : `the lines of ${id} are not those that it was closed with`;
}
