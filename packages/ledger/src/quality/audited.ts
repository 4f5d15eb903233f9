/** What audits have found, of one version or of a whole outcome type: the newest ones, so that it takes no longer with the years. */
import { type AuditCounts, type AuditResult, type DrawnAudit, evenSample } from "@contingent/core/quality/false-bills";
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { Queryable } from "@contingent/db/pool";

/** Audits of one figure: the newest. The interval of a precision of 98 % is ± 0.6 % then. */
export const AUDITS_MAX = 2_000;
/** Open audits are counted up to here. */
export const OPEN_AUDITS_MAX = 1_000;

export type Measured = { readonly versionId: OutcomeTypeVersionId } | { readonly outcomeType: string };

export interface AuditedOutcomes {
  /** What the random sample says. */
  readonly counts: AuditCounts;
  /** Audits that could not be decided: in neither number. */
  readonly undecided: number;
}

interface DoneRow {
  readonly result: AuditResult;
  readonly draw: number;
  readonly rate: number;
}

const DONE = "SELECT result, draw, rate FROM audit WHERE result IS NOT NULL";

/** Newest by when they were drawn: by when they were decided, those that are hard to decide would drop out. Reads `audit_done_of_version` or `audit_done_of_type`. */
export async function auditCountsOf(db: Queryable, of: Measured): Promise<AuditedOutcomes> {
  const [column, value] = columnOf(of);
  const { rows } = await db.query<DoneRow>({
    name: `audits-done-by-${column}`,
    text: `${DONE} AND ${only(column, "$1")} ORDER BY ${column} DESC, id DESC LIMIT ${AUDITS_MAX}`,
    values: [value],
  });
  const decided = rows.flatMap(({ result, draw, rate }): DrawnAudit[] =>
    result === "undecided" ? [] : [{ draw, rate, correct: result === "correct" }],
  );
  return { counts: evenSample(decided), undecided: rows.length - decided.length };
}

/** What audits have found of each of these outcome types; none of those that were never audited. */
export async function auditCountsByType(
  db: Queryable,
  outcomeTypes: Iterable<string>,
): Promise<ReadonlyMap<string, AuditCounts>> {
  const found = new Map<string, AuditCounts>();
  for (const outcomeType of outcomeTypes) {
    const { counts } = await auditCountsOf(db, { outcomeType });
    if (counts.correct + counts.incorrect > 0) found.set(outcomeType, counts);
  }
  return found;
}

export interface OpenAudits {
  /** At most `OPEN_AUDITS_MAX`. */
  readonly open: number;
  readonly overdue: number;
}

/** How many audits wait. Reads `audit_open_of_version` or `audit_open_of_type`. */
export async function openAuditsOf(db: Queryable, of: Measured): Promise<OpenAudits> {
  const [column, value] = columnOf(of);
  const { rows } = await db.query<{ open: number; overdue: number }>({
    name: `audits-open-by-${column}`,
    text: `SELECT count(*)::int AS open, (count(*) FILTER (WHERE due_at < clock_timestamp()))::int AS overdue
             FROM (SELECT due_at FROM audit WHERE result IS NULL AND ${only(column, "$1")} ORDER BY ${column}, id LIMIT ${OPEN_AUDITS_MAX}) waiting`,
    values: [value],
  });
  return rows[0] ?? { open: 0, overdue: 0 };
}

/** The column that is looked up, and its value. */
export function columnOf(of: Measured): readonly ["outcome_type_version_id" | "outcome_type", string] {
  return "versionId" in of ? ["outcome_type_version_id", of.versionId] : ["outcome_type", of.outcomeType];
}

/**
 * That a column has this value, as a range: ordered by the column first, rows can then be read by its own index alone. As an
 * equation the planner may take the index of all rows in their order, and look at all of them where the value has become rare.
 */
export function only(column: string, value: string): string {
  return `${column} BETWEEN ${value} AND ${value}`;
}
