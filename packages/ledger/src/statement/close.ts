/**
 * Closing a period, in two steps, so that nobody waits for its lines to be added up.
 *
 * `begin`: a short transaction locks the customer's account and moves `closed_until` to the period's end. Whatever holds
 * the account has been dated already; whatever comes later is dated into the next period. From here on the lines stand.
 * `finish`: the lines are added up without any lock, and what they take off charges is written down; then one transaction books what they come to, numbers the statement
 * and makes it final. Until then nobody gives back anything of the period's charges (disputes/charge-lock.ts). A process that dies between the two leaves a statement that is `closing`, which anybody finishes.
 *
 * Locks: `begin` the account, then the new statement; `finish` the statement, then (by inserting) its grants, and last
 * the year's counter of numbers, which is the only row that different customers share. Index: the primary keys.
 */
import type { CustomerId, CustomerTermsId, StatementId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { closingOf, type Rebate } from "@contingent/core/statement/closing";
import {
  type Period,
  periodAfter,
  periodAt,
  statementIdOf,
  statementNumber,
  statementSubject,
  yearOf,
} from "@contingent/core/statement/period";
import { type StatementTotals, statementTotals } from "@contingent/core/statement/totals";
import { customerTermsById } from "@contingent/db/customer-terms";
import { newId } from "@contingent/db/ids";
import { msOf } from "@contingent/db/job-row";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { book } from "../book.ts";
import { auditCountsByType } from "../quality/audited.ts";
import { addUpLines, type TermsById } from "./lines.ts";
import { TERMS_BEFORE } from "./read.ts";
import { recordReductions } from "./reductions.ts";
import { headOf, STATEMENT_COLUMNS, type StatementHead, type StatementRow, totalsColumns } from "./row.ts";

/** What became of the wish to close a period. */
export type Begun =
  | { readonly kind: "begun"; readonly id: StatementId }
  /** It is closed, or being closed, already. */
  | { readonly kind: "begun_before"; readonly id: StatementId }
  /** There was nothing in it; there will be no statement. */
  | { readonly kind: "empty" }
  | { readonly kind: "no_customer" }
  | { readonly kind: "not_over"; readonly endMs: number; readonly nowMs: number }
  /** The one before has to be closed first. */
  | { readonly kind: "earlier_open"; readonly id: StatementId };

const LOCK_ACCOUNT = `
  SELECT ${msOf("clock_timestamp() + clock_offset")} AS now_ms, ${msOf("closed_until")} AS closed_until_ms
    FROM customer_account WHERE customer_id = $1 FOR NO KEY UPDATE`;

const CLOSE_UNTIL = `
  UPDATE customer_account SET closed_until = to_timestamp($2::float8 / 1000), updated_at = now() WHERE customer_id = $1`;

const BEGIN = `
  INSERT INTO statement (id, customer_id, period_start, period_end, currency, terms_id)
  VALUES ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($4::float8 / 1000), 'USD', $5)`;

/** Whether there is anything that a statement would tell of. */
const HAS_LINES = `
  SELECT EXISTS (SELECT FROM job WHERE customer_id = $1 AND state = 'closed' AND closed_at >= to_timestamp($2::float8 / 1000)
                    AND closed_at < to_timestamp($3::float8 / 1000))
      OR EXISTS (SELECT FROM ledger_transaction WHERE customer_id = $1 AND kind = 'credit'
                    AND dated_at >= to_timestamp($2::float8 / 1000) AND dated_at < to_timestamp($3::float8 / 1000)) AS found`;

const EXISTING = "SELECT id FROM statement WHERE id = $1";
const UNFINISHED = "SELECT id FROM statement WHERE customer_id = $1 AND state = 'closing'";

/** The first step. Periods before that had nothing in them are passed over. */
export async function beginClosing(pool: Pool, id: StatementId): Promise<Begun> {
  const subject = statementSubject(id);
  if (subject === null) return { kind: "no_customer" };
  const { customerId, period } = subject;
  return await transaction(pool, async (client): Promise<Begun> => {
    // On this connection: waiting for another one with the account locked, everybody could wait for everybody.
    const terms = customerTermsById(client);
    const locked = await client.query<AccountRow>({ text: LOCK_ACCOUNT, values: [customerId] });
    const [account] = locked.rows;
    if (account === undefined) return { kind: "no_customer" };
    if (period.startMs < account.closed_until_ms) {
      const { rowCount } = await client.query({ text: EXISTING, values: [id] });
      return rowCount === 0 ? { kind: "empty" } : { kind: "begun_before", id };
    }
    if (account.now_ms < period.endMs) return { kind: "not_over", endMs: period.endMs, nowMs: account.now_ms };
    const earlier = await firstUnfinished(client, terms, customerId, account, period);
    if (earlier !== null) return { kind: "earlier_open", id: earlier };
    return await closePeriod(client, terms, customerId, period);
  });
}

interface AccountRow {
  readonly now_ms: number;
  readonly closed_until_ms: number;
}

/** The earliest statement that stands in the way: one that is being closed, or a period that has something in it. */
async function firstUnfinished(
  client: Queryable,
  terms: TermsById,
  customerId: CustomerId,
  account: AccountRow,
  period: Period,
): Promise<StatementId | null> {
  const closing = await client.query<{ id: StatementId }>({ text: UNFINISHED, values: [customerId] });
  const [unfinished] = closing.rows;
  if (unfinished !== undefined) return unfinished.id;
  for (let each = periodAt(account.closed_until_ms); each.startMs < period.startMs; each = periodAfter(each)) {
    const { isEmpty } = await lookInto(client, terms, customerId, each);
    if (!isEmpty) return statementIdOf(customerId, each);
  }
  return null;
}

async function closePeriod(
  client: Queryable,
  terms: TermsById,
  customerId: CustomerId,
  period: Period,
): Promise<Begun> {
  const { isEmpty, termsId } = await lookInto(client, terms, customerId, period);
  await client.query({ text: CLOSE_UNTIL, values: [customerId, period.endMs] });
  if (isEmpty) return { kind: "empty" };
  const id = statementIdOf(customerId, period);
  await client.query({ text: BEGIN, values: [id, customerId, period.startMs, period.endMs, termsId] });
  return { kind: "begun", id };
}

async function lookInto(
  client: Queryable,
  terms: TermsById,
  customerId: CustomerId,
  { startMs, endMs }: Period,
): Promise<{ readonly isEmpty: boolean; readonly termsId: CustomerTermsId | null }> {
  const inForce = await client.query<{ id: CustomerTermsId }>({ text: TERMS_BEFORE, values: [customerId, endMs] });
  const termsId = inForce.rows[0]?.id ?? null;
  const commits = termsId !== null && (await terms(termsId)).commitmentMinimum > 0n;
  if (commits) return { isEmpty: false, termsId };
  const { rows } = await client.query<{ found: boolean }>({ text: HAS_LINES, values: [customerId, startMs, endMs] });
  return { isEmpty: rows[0]?.found !== true, termsId };
}

const FIND = `SELECT ${STATEMENT_COLUMNS} FROM statement s WHERE s.id = $1`;

/** What the customer owes for the period, by the books alone, without what closing it books: somebody else may just have done that. */
const OWED = `
  SELECT coalesce(sum(p.amount_nanos), 0)::bigint AS owed
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
   WHERE t.customer_id = $1 AND t.dated_at >= to_timestamp($2::float8 / 1000) AND t.dated_at < to_timestamp($3::float8 / 1000)
     AND t.kind NOT IN ('adjustment', 'commitment', 'rounding', 'statement')
     AND p.account_class = 'receivable:unbilled' AND p.account_of = $1`;

/** A statement's lines do not come to what the books say. Nothing was booked: somebody has to look. */
export class StatementDiffersError extends Error {
  override readonly name = "StatementDiffersError";
}

/** The second step; nothing happens when the statement is closed already. Safe to repeat, and to run twice at a time. */
export async function finishClosing(pool: Pool, id: StatementId): Promise<void> {
  const found = await pool.query<StatementRow>({ text: FIND, values: [id] });
  const [row] = found.rows;
  if (row === undefined || row.state === "closed") return;
  const head = headOf(row);
  const { customerId, period, termsId } = head;
  const terms = customerTermsById(pool);
  const from = new Date(period.startMs).toISOString();
  const until = new Date(period.endMs).toISOString();
  const { tally, hash } = await addUpLines(pool, terms, { customerId, from, until }, (lines) =>
    recordReductions(pool, id, lines),
  );
  const totals = statementTotals(tally, termsId === null ? null : await terms(termsId));
  await refuseDifference(pool, head, totals);
  const figures = totalsColumns(totals, await auditCountsByType(pool, totals.outcomeTypes.keys()));
  await transaction(pool, (client) => store(client, head, { totals, figures, hash }));
}

async function refuseDifference(pool: Pool, head: StatementHead, totals: StatementTotals): Promise<void> {
  const { customerId, period } = head;
  const { rows } = await pool.query<{ owed: bigint }>({
    text: OWED,
    values: [customerId, period.startMs, period.endMs],
  });
  const owed = nanos(rows[0]?.owed ?? 0n);
  const lines = totals.gross.onAccount - totals.credits.onAccount;
  if (owed === lines) return;
  throw new StatementDiffersError(`the lines of ${head.id} come to ${lines} nanos, and the books to ${owed}`);
}

const LOCK = "SELECT state FROM statement WHERE id = $1 FOR NO KEY UPDATE";

/** The lowest there is, as for credit notes: money that comes back is spent before anything else. It never expires. */
const REBATE_PRIORITY = 0;

const GRANT = `
  INSERT INTO credit_grant (id, customer_id, kind, ref, amount_nanos, available_nanos, priority, created_at)
  SELECT g.id, $2, g.kind, g.ref, g.amount, g.amount, ${REBATE_PRIORITY}, clock_timestamp() + a.clock_offset
    FROM jsonb_to_recordset($1::jsonb) AS g (id text, kind text, ref text, amount bigint)
    JOIN customer_account a ON a.customer_id = $2`;

const NUMBER = `
  INSERT INTO statement_number (year, last) VALUES ($1, 1)
  ON CONFLICT (year) DO UPDATE SET last = statement_number.last + 1 RETURNING last`;

const CLOSE = `
  UPDATE statement s
     SET state = 'closed', number = $2, lines_hash = $3, closed_at = clock_timestamp() + a.clock_offset,
         (lines_billed, lines_unbilled, lines_credits, gross_nanos, gross_prepaid_nanos, allowance_nanos,
          allowance_prepaid_nanos, bands_nanos, bands_prepaid_nanos, discount_nanos, discount_prepaid_nanos,
          fixed_discount_nanos, fixed_discount_prepaid_nanos, credits_nanos, credits_prepaid_nanos, commitment_nanos,
          rounding_nanos, amount_due_nanos, outcome_types)
       = (SELECT t.lines_billed, t.lines_unbilled, t.lines_credits, t.gross_nanos, t.gross_prepaid_nanos, t.allowance_nanos,
                 t.allowance_prepaid_nanos, t.bands_nanos, t.bands_prepaid_nanos, t.discount_nanos, t.discount_prepaid_nanos,
                 t.fixed_discount_nanos, t.fixed_discount_prepaid_nanos, t.credits_nanos, t.credits_prepaid_nanos,
                 t.commitment_nanos, t.rounding_nanos, t.amount_due_nanos, t.outcome_types
            FROM jsonb_populate_record(NULL::statement, $4::jsonb) t)
    FROM customer_account a WHERE s.id = $1 AND a.customer_id = s.customer_id`;

interface AddedUp {
  readonly totals: StatementTotals;
  readonly figures: ReturnType<typeof totalsColumns>;
  readonly hash: string;
}

async function store(client: Queryable, head: StatementHead, { totals, figures, hash }: AddedUp): Promise<void> {
  const { id, customerId, period, currency } = head;
  const locked = await client.query<{ state: string }>({ text: LOCK, values: [id] });
  if (locked.rows[0]?.state !== "closing") return;
  const { transactions, rebates } = closingOf(head, totals, () => newId("gra"));
  if (rebates.length > 0)
    await client.query({ text: GRANT, values: [JSON.stringify(rebates.map(grantRow)), customerId] });
  // On the period's last millisecond: after everything that it is about.
  const entries = transactions.map((each) => ({ transaction: each, currency, atMs: period.endMs - 1 }));
  if (entries.length > 0) await book(client, entries);
  const numbered = await client.query<{ last: number }>({ text: NUMBER, values: [yearOf(period)] });
  const number = statementNumber(period, numbered.rows[0]?.last ?? 0);
  await client.query({ text: CLOSE, values: [id, number, hash, JSON.stringify(figures)] });
}

function grantRow({ id, kind, ref, amount }: Rebate): object {
  return { id, kind, ref, amount: amount.toString() };
}

/** Both steps: the period is closed afterwards, unless it may not be. */
export async function closeStatement(pool: Pool, id: StatementId): Promise<Begun> {
  const begun = await beginClosing(pool, id);
  if (begun.kind === "begun" || begun.kind === "begun_before") await finishClosing(pool, begun.id);
  return begun;
}
