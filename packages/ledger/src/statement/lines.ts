/**
 * A statement's lines, read in pages by key: constant memory, however many there are, and no transaction that stays open
 * while somebody reads slowly. Jobs come first, in the order in which they closed; credit notes after them.
 *
 * Reads by `job_closed_by_customer`, `charge_by_customer` and the two indexes of credit notes; takes no lock.
 */
import { createHash } from "node:crypto";
import type { Billing } from "@contingent/core/books/funding";
import type { CreditNoteId, CustomerId, CustomerTermsId, JobId } from "@contingent/core/ids";
import type { Reason, Resolution } from "@contingent/core/job/job";
import { nanos } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import {
  canonicalLine,
  type ClosedJob,
  type Counted,
  type CreditLine,
  jobLine,
  type StatementLine,
} from "@contingent/core/statement/lines";
import { EMPTY_TALLY, type Tally, tallied } from "@contingent/core/statement/totals";
import type { Queryable } from "@contingent/db/pool";

export type TermsById = (id: CustomerTermsId) => Promise<CustomerTerms>;

/** Whose lines, and from when until when: timestamps as the database reads them. */
export interface LinesOf {
  readonly customerId: CustomerId;
  readonly from: string;
  /** The period's end; of an open one, the instant at which it is looked at. */
  readonly until: string;
}

/** A place between two lines. */
export interface LineCursor {
  readonly section: "jobs" | "credits";
  readonly at: string;
  /** Of the job, or of the credit note. */
  readonly id: string;
}

export interface LineReading {
  /** Begin after this line instead of at the beginning. */
  readonly after?: LineCursor | null;
  readonly linesPerPage?: number;
}

const LINES_PER_PAGE = 2_000;
const BEGINNING = { at: "-infinity", id: "" };

/** With microseconds: two lines may be less than a millisecond apart. */
export function timestampOf(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/**
 * A charge's credits are those that were given before its statement began to be closed, also when they are dated in the
 * next period already; of an open period only those until the instant at which it is looked at.
 */
const JOBS = `
  SELECT j.id AS job_id, ${timestampOf("j.closed_at")} AS closed_at, j.outcome_type, v.version, j.outcome_key,
         j.resolution, j.reason, j.attempts, j.customer_terms_id, c.amount_nanos, c.billing,
         CASE WHEN c.job_id IS NOT NULL THEN (
           SELECT sum(p.amount_nanos)::bigint FROM ledger_transaction t
             JOIN credit_note n ON n.id = t.credit_note_id AND n.reduced_nanos IS NULL
             JOIN posting p ON p.transaction_id = t.id
            WHERE t.job_id = j.id AND t.kind = 'credit' AND (t.dated_at < $3 OR t.dated_at >= period_end($2))
              AND p.account_class = 'contra_revenue:credit') END AS credited_nanos
    FROM job j
    JOIN outcome_type_version v ON v.id = j.outcome_type_version_id
    LEFT JOIN charge c ON c.job_id = j.id
   WHERE j.customer_id = $1 AND j.state = 'closed' AND j.closed_at >= $2 AND j.closed_at < $3
     AND (j.closed_at, j.id) > ($4, $5)
   ORDER BY j.closed_at, j.id LIMIT $6`;

interface JobRow {
  readonly job_id: JobId;
  readonly closed_at: string;
  readonly outcome_type: string;
  readonly version: number;
  readonly outcome_key: string | null;
  readonly resolution: Resolution;
  readonly reason: Reason;
  readonly attempts: number;
  readonly customer_terms_id: CustomerTermsId | null;
  readonly amount_nanos: bigint | null;
  readonly billing: Billing | null;
  readonly credited_nanos: bigint | null;
}

/** Credit notes are read from the books themselves: what is not booked gives nothing back. */
const CREDITS = `
  SELECT n.id AS credit_note_id, ${timestampOf("t.dated_at")} AS at, t.job_id, j.outcome_type,
         v.version, j.outcome_key, j.closed_at >= $2 AS of_period, n.reason, p.amount_nanos, p.is_prepaid
    FROM ledger_transaction t
    JOIN credit_note n ON n.id = t.credit_note_id
    JOIN job j ON j.id = t.job_id
    JOIN outcome_type_version v ON v.id = j.outcome_type_version_id
   CROSS JOIN LATERAL (
     SELECT sum(amount_nanos) FILTER (WHERE account_class = 'contra_revenue:credit')::bigint AS amount_nanos,
            bool_or(account_class = 'customer:prepaid') AS is_prepaid
       FROM posting WHERE transaction_id = t.id) p
   WHERE t.customer_id = $1 AND t.kind = 'credit' AND t.dated_at >= $2 AND t.dated_at < $3
     AND (t.dated_at, t.key) > ($4, 'credit:' || $5)
   ORDER BY t.dated_at, t.key LIMIT $6`;

interface CreditRow {
  readonly credit_note_id: CreditNoteId;
  readonly at: string;
  readonly job_id: JobId;
  readonly outcome_type: string;
  readonly version: number;
  readonly outcome_key: string | null;
  readonly of_period: boolean;
  readonly reason: string;
  readonly amount_nanos: bigint;
  readonly is_prepaid: boolean;
}

/** How many outcomes of each type were charged, up to a line. */
const COUNTS = `
  SELECT outcome_type, count(*)::int AS count FROM charge
   WHERE customer_id = $1 AND at >= $2 AND at < $3 AND (at, job_id) <= ($4, $5) GROUP BY outcome_type`;

type Counts = Map<string, number>;

/** The lines in their order, page by page. */
export async function* linePages(
  db: Queryable,
  terms: TermsById,
  subject: LinesOf,
  reading: LineReading = {},
): AsyncGenerator<readonly StatementLine[]> {
  const { after = null, linesPerPage = LINES_PER_PAGE } = reading;
  if (after?.section !== "credits") yield* jobPages(db, terms, subject, after ?? BEGINNING, linesPerPage);
  yield* creditPages(db, subject, after?.section === "credits" ? after : BEGINNING, linesPerPage);
}

/** Where the lines after this one begin. */
export function cursorOf(line: StatementLine): LineCursor {
  return line.kind === "job"
    ? { section: "jobs", at: line.closedAt, id: line.jobId }
    : { section: "credits", at: line.at, id: line.creditNoteId };
}

type Place = Pick<LineCursor, "at" | "id">;

async function* jobPages(
  db: Queryable,
  terms: TermsById,
  { customerId, from, until }: LinesOf,
  after: Place,
  linesPerPage: number,
): AsyncGenerator<readonly StatementLine[]> {
  const counts = async (at: string, id: string): Promise<Counts> =>
    await countsOf(db, [customerId, from, until, at, id]);
  const totals = await counts("infinity", "");
  const ordinals = after === BEGINNING ? new Map<string, number>() : await counts(after.at, after.id);
  for (let { at, id } = after; ;) {
    const values = [customerId, from, until, at, id, linesPerPage];
    const { rows } = await db.query<JobRow>({ name: "statement-jobs", text: JOBS, values });
    const last = rows.at(-1);
    if (last === undefined) return;
    const lines: StatementLine[] = [];
    for (const row of rows) {
      const counted = row.amount_nanos === null ? null : next(ordinals, totals, row.outcome_type);
      const own = row.customer_terms_id === null ? null : await terms(row.customer_terms_id);
      lines.push(jobLine(jobOf(row), own, counted));
    }
    yield lines;
    if (rows.length < linesPerPage) return;
    ({ closed_at: at, job_id: id } = last);
  }
}

async function countsOf(db: Queryable, values: readonly string[]): Promise<Counts> {
  const { rows } = await db.query<{ outcome_type: string; count: number }>({
    name: "statement-counts",
    text: COUNTS,
    values: [...values],
  });
  return new Map(rows.map((row) => [row.outcome_type, row.count]));
}

/** An open period may gain an outcome between the count and the line: then there is one more. */
function next(ordinals: Counts, totals: Counts, outcomeType: string): Counted {
  const ordinal = (ordinals.get(outcomeType) ?? 0) + 1;
  ordinals.set(outcomeType, ordinal);
  return { ordinal, total: Math.max(ordinal, totals.get(outcomeType) ?? 0) };
}

function jobOf(row: JobRow): ClosedJob {
  const { job_id: jobId, closed_at: closedAt, resolution, reason, attempts, amount_nanos: amount, billing } = row;
  return {
    jobId,
    closedAt,
    outcomeType: row.outcome_type,
    outcomeTypeVersion: row.version,
    outcomeKey: row.outcome_key,
    resolution,
    reason,
    attempts,
    charge:
      amount === null || billing === null
        ? null
        : { amount: nanos(amount), billing, credited: nanos(row.credited_nanos ?? 0n) },
  };
}

async function* creditPages(
  db: Queryable,
  { customerId, from, until }: LinesOf,
  after: Place,
  linesPerPage: number,
): AsyncGenerator<readonly StatementLine[]> {
  for (let { at, id } = after; ;) {
    const values = [customerId, from, until, at, id, linesPerPage];
    const { rows } = await db.query<CreditRow>({ name: "statement-credits", text: CREDITS, values });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(creditOf);
    if (rows.length < linesPerPage) return;
    ({ at, credit_note_id: id } = last);
  }
}

function creditOf(row: CreditRow): CreditLine {
  return {
    kind: "credit",
    creditNoteId: row.credit_note_id,
    at: row.at,
    jobId: row.job_id,
    outcomeType: row.outcome_type,
    outcomeTypeVersion: row.version,
    outcomeKey: row.outcome_key,
    amount: nanos(row.amount_nanos),
    reason: row.reason,
    billing: row.is_prepaid ? "prepaid" : "on_account",
    ofPeriod: row.of_period,
  };
}

/** All lines added up, and the hash over them. @param each is shown the lines, page by page */
export async function addUpLines(
  db: Queryable,
  terms: TermsById,
  subject: LinesOf,
  each: (lines: readonly StatementLine[]) => Promise<void> = async () => {},
): Promise<{ readonly tally: Tally; readonly hash: string }> {
  const hash = createHash("sha256");
  let tally = EMPTY_TALLY;
  for await (const lines of linePages(db, terms, subject)) {
    tally = tallied(tally, lines);
    for (const line of lines) hash.update(`${canonicalLine(line)}\n`);
    await each(lines);
  }
  return { tally, hash: `sha256:${hash.digest("hex")}` };
}
