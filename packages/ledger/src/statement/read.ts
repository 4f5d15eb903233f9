/** Statements for looking at: a closed one as it was stored, an open one as its lines come to at this moment. */
import type { CustomerId, StatementId } from "@contingent/core/ids";
import { type Nanos, nanos, subtract } from "@contingent/core/money";
import { type Period, periodAt, statementIdOf, statementSubject } from "@contingent/core/statement/period";
import { type StatementTotals, statementTotals } from "@contingent/core/statement/totals";
import { msOf } from "@contingent/db/job-row";
import type { Queryable } from "@contingent/db/pool";
import type { CustomerTermsId } from "@contingent/core/ids";
import type { AuditCounts } from "@contingent/core/quality/false-bills";
import { auditCountsByType } from "../quality/audited.ts";
import { addUpLines, type LinesOf, type TermsById } from "./lines.ts";
import { closedOf, headOf, openHead, STATEMENT_COLUMNS, type StatementHead, type StatementRow } from "./row.ts";

/** A statement as it was found, before its lines have been looked at. */
export interface FoundStatement {
  readonly head: StatementHead;
  /** What is stored; null while it is not closed. */
  readonly row: StatementRow | null;
  readonly lines: LinesOf;
  readonly customerName: string;
  readonly termsVersion: number | null;
  readonly paid: Nanos;
}

/** A statement with its figures. */
export interface StatementView extends FoundStatement {
  readonly totals: StatementTotals;
  readonly number: string | null;
  readonly closedAtMs: number | null;
  readonly linesHash: string | null;
  /** What random audits say of each outcome type that was audited: when it was closed, or until now. */
  readonly audited: ReadonlyMap<string, AuditCounts>;
  /** What is still to be paid. */
  readonly balance: Nanos;
}

const CUSTOMER = `
  SELECT c.name, ${msOf("a.closed_until")} AS closed_until_ms, ${msOf("greatest(clock_timestamp() + a.clock_offset, a.closed_until)")} AS now_ms
    FROM customer c JOIN customer_account a ON a.customer_id = c.id WHERE c.id = $1`;

interface CustomerRow {
  readonly name: string;
  readonly closed_until_ms: number;
  readonly now_ms: number;
}

const STORED = `
  SELECT ${STATEMENT_COLUMNS}, c.name AS customer_name, t.version AS terms_version,
         (SELECT coalesce(sum(p.amount_nanos), 0)::bigint FROM statement_payment p WHERE p.statement_id = s.id) AS paid_nanos
    FROM statement s
    JOIN customer c ON c.id = s.customer_id
    LEFT JOIN customer_terms t ON t.id = s.terms_id`;

type StoredRow = StatementRow & {
  readonly customer_name: string;
  readonly terms_version: number | null;
  readonly paid_nanos: bigint;
};

/** The terms in force just before an instant of the customer's time. */
export const TERMS_BEFORE = `
  SELECT id, version FROM customer_terms WHERE customer_id = $1 AND effective_from < to_timestamp($2::float8 / 1000)
   ORDER BY effective_from DESC, version DESC LIMIT 1`;

interface TermsRow {
  readonly id: CustomerTermsId;
  readonly version: number;
}

/** The statement of this id; null when there is none: another's id, a period to come, or one that passed without anything. */
export async function findStatement(db: Queryable, id: StatementId): Promise<FoundStatement | null> {
  const stored = await db.query<StoredRow>({ text: `${STORED} WHERE s.id = $1`, values: [id] });
  const [row] = stored.rows;
  if (row !== undefined) return foundOf(row);
  const subject = statementSubject(id);
  if (subject === null) return null;
  const open = await openStatements(db, subject.customerId);
  return open.find(({ head }) => head.id === id) ?? null;
}

function foundOf(row: StoredRow): FoundStatement {
  return {
    head: headOf(row),
    row,
    lines: linesOfPeriod(row.customer_id, headOf(row).period),
    customerName: row.customer_name,
    termsVersion: row.terms_version,
    paid: nanos(row.paid_nanos),
  };
}

function linesOfPeriod(customerId: CustomerId, { startMs, endMs }: Period): LinesOf {
  return { customerId, from: new Date(startMs).toISOString(), until: new Date(endMs).toISOString() };
}

/** A clock that was moved far ahead has many periods that nobody has closed yet. */
const OPEN_PERIODS_MAX = 24;

/** A customer's open statements, newest first: of this period, and of past ones that wait to be closed. */
export async function openStatements(db: Queryable, customerId: CustomerId): Promise<readonly FoundStatement[]> {
  const { rows } = await db.query<CustomerRow>({ text: CUSTOMER, values: [customerId] });
  const [customer] = rows;
  if (customer === undefined) return [];
  const found: FoundStatement[] = [];
  for (let atMs = customer.now_ms; found.length < OPEN_PERIODS_MAX;) {
    const period = periodAt(atMs);
    if (period.startMs < customer.closed_until_ms) break;
    found.push(await openStatement(db, { customerId, period, ...customer }));
    atMs = period.startMs - 1;
  }
  return found;
}

async function openStatement(
  db: Queryable,
  subject: CustomerRow & { readonly customerId: CustomerId; readonly period: Period },
): Promise<FoundStatement> {
  const { customerId, period, now_ms: nowMs } = subject;
  // Fixed, so that the lines do not grow while they are read; with what is dated to this very millisecond.
  const untilMs = Math.min(period.endMs, Math.floor(nowMs) + 1);
  const { rows } = await db.query<TermsRow>({ text: TERMS_BEFORE, values: [customerId, untilMs] });
  const [terms] = rows;
  return {
    head: openHead({ customerId, period, termsId: terms?.id ?? null }),
    row: null,
    lines: linesOfPeriod(customerId, { startMs: period.startMs, endMs: untilMs }),
    customerName: subject.name,
    termsVersion: terms?.version ?? null,
    paid: nanos(0n),
  };
}

/** The statement with its figures. One that is not closed is added up: that takes longer the more lines it has. */
export async function viewStatement(db: Queryable, terms: TermsById, found: FoundStatement): Promise<StatementView> {
  if (found.row?.state === "closed") {
    const { totals, number, closedAtMs, linesHash, audited } = closedOf(found.row);
    return {
      ...found,
      totals,
      number,
      closedAtMs,
      linesHash,
      audited,
      balance: subtract(totals.amountDue, found.paid),
    };
  }
  const totals = await liveTotals(db, terms, found);
  const balance = subtract(totals.amountDue, found.paid);
  const audited = await auditCountsByType(db, totals.outcomeTypes.keys());
  return { ...found, totals, number: null, closedAtMs: null, linesHash: null, audited, balance };
}

async function liveTotals(db: Queryable, terms: TermsById, { head, lines }: FoundStatement): Promise<StatementTotals> {
  const { tally } = await addUpLines(db, terms, lines);
  return statementTotals(tally, head.termsId === null ? null : await terms(head.termsId));
}

export interface StatementFilter {
  readonly customerId: CustomerId | undefined;
  readonly state: "open" | "closing" | "closed" | undefined;
}

const LIST = `${STORED}
   WHERE ($1::text IS NULL OR s.customer_id = $1) AND ($2::text IS NULL OR s.state = $2)
     AND ($3::float8 IS NULL OR (s.period_start, s.customer_id) < (to_timestamp($3 / 1000), $4::text))
   ORDER BY s.period_start DESC, s.customer_id DESC LIMIT $5`;

/**
 * Statements, newest period first; those after the one with the given id. Open ones only of a given customer: each of
 * them has to be added up.
 */
export async function listStatements(
  db: Queryable,
  { customerId, state }: StatementFilter,
  page: { readonly after: StatementId | null; readonly limit: number },
): Promise<readonly FoundStatement[]> {
  const after = page.after === null ? null : statementSubject(page.after);
  const open = customerId === undefined || (state ?? "open") !== "open" ? [] : await openStatements(db, customerId);
  const wanted = open.filter(({ head }) => after === null || head.period.startMs < after.period.startMs);
  if (state === "open") return wanted.slice(0, page.limit);
  const values = [
    customerId ?? null,
    state ?? null,
    after?.period.startMs ?? null,
    after?.customerId ?? null,
    page.limit,
  ];
  const { rows } = await db.query<StoredRow>({ text: LIST, values });
  return [...wanted, ...rows.map(foundOf)].slice(0, page.limit);
}

/** The id that a customer's statement of the period has, or will have. */
export function statementIdAt(customerId: CustomerId, atMs: number): StatementId {
  return statementIdOf(customerId, periodAt(atMs));
}
