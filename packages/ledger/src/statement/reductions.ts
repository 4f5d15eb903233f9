/**
 * What closing a statement takes off each charge. Written page by page as the lines pass, before the transaction that closes
 * the statement: a million rows in that one would keep everything that waits for old transactions waiting. Nobody reads a
 * reduction before its statement is closed, the lines stand since the closing began, so whoever comes again finds the same
 * ones; and the database closes no statement whose reductions do not come to its figures (`statement_is_itemized`).
 */
import type { JobId, StatementId } from "@contingent/core/ids";
import { reductionOf, type StatementLine } from "@contingent/core/statement/lines";
import type { Queryable } from "@contingent/db/pool";

const RECORD = `
  INSERT INTO statement_reduction (job_id, statement_id, amount_nanos)
  SELECT r.job_id, $1, r.amount_nanos FROM unnest($2::text[], $3::bigint[]) AS r (job_id, amount_nanos)
  ON CONFLICT (job_id) DO NOTHING`;

/** Writes down what the statement takes off these lines. Safe to repeat. */
export async function recordReductions(
  db: Queryable,
  statementId: StatementId,
  lines: readonly StatementLine[],
): Promise<void> {
  const reductions = reductionsOf(lines);
  if (reductions.size === 0) return;
  const values = [statementId, [...reductions.keys()], [...reductions.values()]];
  await db.query({ name: "record-reductions", text: RECORD, values });
}

const RECORDED = `
  SELECT job_id, statement_id, amount_nanos FROM statement_reduction WHERE job_id = ANY($1::text[])`;

interface ReductionRow {
  readonly job_id: JobId;
  readonly statement_id: StatementId;
  readonly amount_nanos: bigint;
}

/** The first of these lines of which something else is recorded than it says; null when there is none. */
export async function differingReduction(
  db: Queryable,
  statementId: StatementId,
  lines: readonly StatementLine[],
): Promise<string | null> {
  const expected = reductionsOf(lines);
  const jobs = lines.filter((line) => line.kind === "job").map((line) => line.jobId);
  const { rows } = await db.query<ReductionRow>({ name: "recorded-reductions", text: RECORDED, values: [jobs] });
  const own = rows.filter((row) => row.statement_id === statementId);
  const recorded = new Map(own.map((row) => [row.job_id, row.amount_nanos]));
  const differing = jobs.find((id) => recorded.get(id) !== expected.get(id));
  if (differing === undefined) return null;
  const [was, is] = [recorded, expected].map((each) => each.get(differing) ?? 0n);
  return `${statementId} has recorded that it takes ${was} off the charge for ${differing}; its line says ${is}`;
}

function reductionsOf(lines: readonly StatementLine[]): ReadonlyMap<JobId, bigint> {
  const reductions = lines.map((line) => [line.jobId, reductionOf(line)] as const);
  return new Map(reductions.filter(([, amount]) => amount > 0n));
}
