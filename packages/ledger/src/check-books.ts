/** Runs the invariants against a live database, at any time, on one consistent snapshot. */
import type { JobId } from "@contingent/core/ids";
import { formatMoney, nanos } from "@contingent/core/money";
import { price } from "@contingent/core/pricing/price";
import type { Resolution } from "@contingent/core/job/job";
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import type { Pool, Queryable } from "@contingent/db/pool";
import { INVARIANTS } from "./invariants.ts";

export interface CheckedInvariant {
  readonly number: number;
  readonly promise: string;
  readonly durationMs: number;
  /** What is wrong, at most `VIOLATIONS_SHOWN_MAX` of it; empty when the promise holds. */
  readonly violations: readonly string[];
}

const VIOLATIONS_SHOWN_MAX = 20;
const CHARGES_PER_PAGE = 1_000;
/** A check reads everything there is; it may take longer than a statement on the path of a job. */
const STATEMENT_TIMEOUT_MS = 600_000;

/** Checks every invariant on one snapshot. Reads only. */
export async function checkBooks(pool: Pool, versions: OutcomeTypeVersions): Promise<readonly CheckedInvariant[]> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    const results: CheckedInvariant[] = [];
    for (const { number, promise, sql } of INVARIANTS) {
      const text = `SELECT what FROM (${sql}) violations LIMIT ${VIOLATIONS_SHOWN_MAX}`;
      const check = async () => (await client.query<{ what: string }>({ text })).rows.map((row) => row.what);
      results.push({ number, promise, ...(await timed(check)) });
    }
    results.push({
      number: 11,
      promise: "each charge is the price of its pinned terms and its verdict, and at most its hold",
      ...(await timed(() => mispriced(client, versions))),
    });
    return results.toSorted((a, b) => a.number - b.number);
  } finally {
    await client.query("ROLLBACK").catch(() => {});
    client.release();
  }
}

async function timed(
  check: () => Promise<readonly string[]>,
): Promise<{ readonly durationMs: number; readonly violations: readonly string[] }> {
  const startMs = performance.now();
  const violations = await check();
  return { violations, durationMs: performance.now() - startMs };
}

interface ChargeRow {
  readonly job_id: JobId;
  readonly amount_nanos: bigint;
  readonly held_nanos: bigint;
  readonly score: number;
  readonly resolution: Resolution;
  readonly outcome_type_version_id: OutcomeTypeVersionId;
}

/** The price function is ours, not the database's: every charge is priced again, a page at a time. */
async function mispriced(client: Queryable, versions: OutcomeTypeVersions): Promise<readonly string[]> {
  const violations: string[] = [];
  let after = "";
  for (;;) {
    const { rows } = await client.query<ChargeRow>({
      text: `SELECT c.job_id, c.amount_nanos, h.amount_nanos AS held_nanos, v.score, j.resolution, j.outcome_type_version_id
               FROM charge c JOIN job j ON j.id = c.job_id JOIN hold h ON h.job_id = c.job_id JOIN verdict v ON v.id = c.verdict_id
              WHERE c.job_id > $1 ORDER BY c.job_id LIMIT ${CHARGES_PER_PAGE}`,
      values: [after],
    });
    for (const row of rows) {
      const { terms } = await versions.get(row.outcome_type_version_id);
      const due = price(terms.price, { resolution: row.resolution, score: row.score });
      if (due === row.amount_nanos && row.amount_nanos <= row.held_nanos) continue;
      const charged = formatMoney(nanos(row.amount_nanos));
      violations.push(`${row.job_id} is charged ${charged}, its price is ${formatMoney(due)}`);
    }
    const last = rows.at(-1);
    if (last === undefined || violations.length >= VIOLATIONS_SHOWN_MAX) return violations;
    after = last.job_id;
  }
}
