/** Checks of the books, one at a time, each written down: so that the next one may begin where a clean one has ended. */
import { msOf } from "@contingent/db/job-row";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import type { Pool, Queryable } from "@contingent/db/pool";
import { type CheckedInvariant, checkBooksSince } from "./check-books.ts";

/** `full`: everything there is. `incremental`: what was written since the last check that found nothing. */
export const CHECK_MODES = ["full", "incremental"] as const;
export type CheckMode = (typeof CHECK_MODES)[number];

export interface BookCheck {
  readonly number: number;
  /** A first check is full, whatever was asked for. */
  readonly mode: CheckMode;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly isClean: boolean;
  readonly invariants: readonly CheckedInvariant[];
}

/** Whoever checks holds this lock. */
const ADVISORY_LOCK = 5_391_003;

interface CheckRow {
  readonly number: number;
  readonly started_ms: number;
  readonly duration_ms: number;
  readonly since_xact: string | null;
  readonly invariants: readonly CheckedInvariant[];
  readonly is_clean: boolean;
}

const COLUMNS = `number, ${msOf("started_at")} AS started_ms, duration_ms, since_xact::text, invariants, is_clean`;
const LAST_CLEAN = "SELECT until_xact::text AS xact FROM book_check WHERE is_clean ORDER BY number DESC LIMIT 1";
const RECORD = `
  INSERT INTO book_check (started_at, duration_ms, since_xact, until_xact, invariants, is_clean)
  VALUES (clock_timestamp() - $1::float8 * interval '1 millisecond', $1, $2::text::xid8, $3::text::xid8, $4, $5)
  RETURNING ${COLUMNS}`;

/** Checks the books and writes the result down; null when another check is under way. Needs five connections of the pool. */
export async function runBookCheck(
  pool: Pool,
  versions: OutcomeTypeVersions,
  mode: CheckMode,
): Promise<BookCheck | null> {
  const client = await pool.connect();
  try {
    const lock = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [ADVISORY_LOCK]);
    if (lock.rows[0]?.taken !== true) return null;
    try {
      return await checkAndRecord(pool, versions, mode);
    } finally {
      await client.query("SELECT pg_advisory_unlock($1)", [ADVISORY_LOCK]);
    }
  } finally {
    client.release();
  }
}

async function checkAndRecord(pool: Pool, versions: OutcomeTypeVersions, mode: CheckMode): Promise<BookCheck> {
  const startMs = performance.now();
  const sinceXact = mode === "full" ? null : await lastCleanXact(pool);
  const { invariants, untilXact } = await checkBooksSince(pool, versions, sinceXact);
  const { rows } = await pool.query<CheckRow>({
    text: RECORD,
    values: [
      performance.now() - startMs,
      sinceXact?.toString() ?? null,
      untilXact.toString(),
      JSON.stringify(invariants),
      invariants.every(({ violations }) => violations.length === 0),
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error("the check of the books was not written down");
  return checkOf(row);
}

async function lastCleanXact(db: Queryable): Promise<bigint | null> {
  const { rows } = await db.query<{ xact: string }>({ text: LAST_CLEAN });
  return rows[0] === undefined ? null : BigInt(rows[0].xact);
}

/** Earlier checks, the latest first; those before the given number. */
export async function bookChecks(
  db: Queryable,
  page: { readonly before: number | null; readonly limit: number },
): Promise<readonly BookCheck[]> {
  const { rows } = await db.query<CheckRow>({
    text: `SELECT ${COLUMNS} FROM book_check WHERE $1::int IS NULL OR number < $1 ORDER BY number DESC LIMIT $2`,
    values: [page.before, page.limit],
  });
  return rows.map(checkOf);
}

function checkOf(row: CheckRow): BookCheck {
  const { number, started_ms: startedAtMs, duration_ms: durationMs, is_clean: isClean, invariants } = row;
  return {
    number,
    mode: row.since_xact === null ? "full" : "incremental",
    startedAtMs,
    durationMs,
    isClean,
    invariants,
  };
}
