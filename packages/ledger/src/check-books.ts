/** Runs the invariants against a live database, at any time, on one consistent snapshot. */
import type { CustomerTermsId, JobId, OutcomeTypeVersionId } from "@contingent/core/ids";
import { formatMoney, nanos } from "@contingent/core/money";
import { price } from "@contingent/core/pricing/price";
import type { Resolution } from "@contingent/core/job/job";
import { customerTermsById } from "@contingent/db/customer-terms";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import { exportSnapshot, type Pool, type Queryable, readAll, readSnapshot } from "@contingent/db/pool";
import { since } from "./check-scope.ts";
import { INVARIANTS } from "./invariants.ts";
import { withWeights } from "./proofs.ts";
import { misstated } from "./statement/statement-checks.ts";

export interface CheckedInvariant {
  readonly number: number;
  readonly promise: string;
  readonly durationMs: number;
  /** What is wrong, at most `VIOLATIONS_SHOWN_MAX` of it; empty when the promise holds. */
  readonly violations: readonly string[];
}

const VIOLATIONS_SHOWN_MAX = 20;
const OUTCOMES_PER_FETCH = 1_000;
/** A check reads everything there is; it may take longer than a statement on the path of a job. */
const STATEMENT_TIMEOUT_MS = 600_000;

export interface CheckedBooks {
  readonly invariants: readonly CheckedInvariant[];
  /** From here on nothing was seen for certain: where the next check may begin. */
  readonly untilXact: bigint;
}

/** Checks every invariant on everything there is. */
export async function checkBooks(pool: Pool, versions: OutcomeTypeVersions): Promise<readonly CheckedInvariant[]> {
  return (await checkBooksSince(pool, versions, null)).invariants;
}

/**
 * Checks every invariant on one snapshot. Reads only. Needs three connections of the pool.
 * @param sinceXact the first database transaction that an earlier check has not seen: only what has to do with it and later
 *   ones is looked at, by indexes. Null: everything.
 */
export async function checkBooksSince(
  pool: Pool,
  versions: OutcomeTypeVersions,
  sinceXact: bigint | null,
): Promise<CheckedBooks> {
  const options = { statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  if (sinceXact !== null) {
    return await readSnapshot(pool, options, (client) => checkBooksWithin(client, pool, versions, sinceXact));
  }
  const checks = checksSince(pool, versions, null).toSorted(slowestFirst);
  return await readAll(pool, options, async (client) => {
    const snapshot = await exportSnapshot(client);
    // Two at once, because most of a check keeps one core of the database busy and no more.
    const beside = readAll(pool, { ...options, snapshot }, (second) => inTurn(second, checks));
    const [own, others] = await Promise.all([inTurn(client, checks), beside]);
    return await checkedBooks(client, [...own, ...others]);
  });
}

/** The same on what an open transaction sees: with what it has changed, and may yet take back. */
export async function checkBooksWithin(
  client: Queryable,
  pool: Pool,
  versions: OutcomeTypeVersions,
  sinceXact: bigint | null,
): Promise<CheckedBooks> {
  return await checkedBooks(client, await inTurn(client, [...checksSince(pool, versions, sinceXact)]));
}

/** A part of what an invariant says. */
interface Check {
  readonly number: number;
  readonly violations: (client: Queryable) => Promise<readonly string[]>;
}

interface Checked {
  readonly number: number;
  readonly durationMs: number;
  readonly violations: readonly string[];
}

/** Takes checks from the list until there are none left. */
async function inTurn(client: Queryable, checks: Check[]): Promise<readonly Checked[]> {
  const done: Checked[] = [];
  for (let check = checks.shift(); check !== undefined; check = checks.shift()) {
    const startMs = performance.now();
    const violations = await check.violations(client);
    done.push({ number: check.number, durationMs: performance.now() - startMs, violations });
  }
  return done;
}

/** What takes longest must not be left to the end, when nothing runs beside it any more. */
const SLOWEST = [3, 17, 9, 1, 11];

function slowestFirst(left: Check, right: Check): number {
  const rank = ({ number }: Check): number => (SLOWEST.includes(number) ? SLOWEST.indexOf(number) : SLOWEST.length);
  return rank(left) - rank(right);
}

const PRICED = {
  number: 11,
  promise: "each charge is the price of its pinned terms and its verdict, and at most its hold",
};

function checksSince(pool: Pool, versions: OutcomeTypeVersions, sinceXact: bigint | null): readonly Check[] {
  const terms = customerTermsById(pool);
  const queries = INVARIANTS.flatMap(({ number, sql, sqlSince, part }): readonly Check[] => {
    // What was touched is looked up once for all of them.
    const each = sinceXact === null ? sql : [since(sinceXact, part, (sqlSince ?? sql).join(" UNION ALL "))];
    return each.map((query) => ({ number, violations: (client) => found(client, query) }));
  });
  const outcomes = sinceXact === null ? OUTCOMES : since(sinceXact, "jobs", OUTCOMES);
  return [
    ...queries,
    // What the database cannot add up, because rating and pricing are ours.
    { number: 17, violations: (client) => misstated(client, terms, sinceXact, VIOLATIONS_SHOWN_MAX) },
    { number: PRICED.number, violations: (client) => mispriced(client, versions, outcomes) },
  ];
}

async function found(client: Queryable, query: string): Promise<readonly string[]> {
  const text = withWeights(`SELECT what FROM (${query}) violations LIMIT ${VIOLATIONS_SHOWN_MAX}`);
  return (await client.query<{ what: string }>({ text })).rows.map((row) => row.what);
}

async function checkedBooks(client: Queryable, checked: readonly Checked[]): Promise<CheckedBooks> {
  const invariants = [...INVARIANTS, PRICED].map(({ number, promise }): CheckedInvariant => {
    const parts = checked.filter((part) => part.number === number);
    const violations = parts.flatMap((part) => part.violations).slice(0, VIOLATIONS_SHOWN_MAX);
    return { number, promise, durationMs: parts.reduce((sum, part) => sum + part.durationMs, 0), violations };
  });
  return { invariants: invariants.toSorted((a, b) => a.number - b.number), untilXact: await horizonOf(client) };
}

async function horizonOf(client: Queryable): Promise<bigint> {
  const { rows } = await client.query<{ xact: string }>({
    text: "SELECT books_horizon()::text AS xact",
  });
  return BigInt(rows[0]?.xact ?? "0");
}

interface OutcomeRow {
  readonly job_id: JobId;
  readonly charged_nanos: bigint;
  readonly held_nanos: bigint;
  readonly price_nanos: bigint | null;
  /** Null when the outcome has no verdict. */
  readonly score: number | null;
  readonly value_nanos: bigint | null;
  readonly resolution: Resolution;
  readonly outcome_type_version_id: OutcomeTypeVersionId;
  readonly customer_terms_id: CustomerTermsId | null;
}

/**
 * Delivered outcomes, those that must cost the same counted as one. A charge says which verdict it is for; where nothing was
 * charged, the job does.
 */
const OUTCOMES = `
  SELECT min(j.id) AS job_id, coalesce(c.amount_nanos, 0)::bigint AS charged_nanos, h.amount_nanos AS held_nanos, j.price_nanos,
         v.score, v.value_nanos, j.resolution, j.outcome_type_version_id, j.customer_terms_id
    FROM job j
    JOIN hold h ON h.job_id = j.id
    LEFT JOIN charge c ON c.job_id = j.id
    LEFT JOIN verdict v ON v.job_id = j.id AND v.id = coalesce(c.verdict_id, j.progress -> 'best' ->> 'verdictId')
   WHERE j.state = 'closed' AND j.resolution <> 'failure'
   GROUP BY 2, 3, 4, 5, 6, 7, 8, 9`;

/** The price function is ours, not the database's: every delivered outcome is priced again, some at a time. */
async function mispriced(
  client: Queryable,
  versions: OutcomeTypeVersions,
  outcomes: string,
): Promise<readonly string[]> {
  const violations: string[] = [];
  await client.query({ text: `DECLARE outcomes NO SCROLL CURSOR FOR ${outcomes}` });
  for (;;) {
    const { rows } = await client.query<OutcomeRow>({ text: `FETCH ${OUTCOMES_PER_FETCH} FROM outcomes` });
    for (const row of rows) {
      const what = await mispricing(row, versions);
      if (what !== null) violations.push(what);
    }
    if (rows.length < OUTCOMES_PER_FETCH || violations.length >= VIOLATIONS_SHOWN_MAX) break;
  }
  await client.query({ text: "CLOSE outcomes" });
  return violations.slice(0, VIOLATIONS_SHOWN_MAX);
}

async function mispricing(row: OutcomeRow, versions: OutcomeTypeVersions): Promise<string | null> {
  if (row.score === null) return `${row.job_id} is a ${row.resolution} without a verdict`;
  const { terms } = await versions.pinned(row.outcome_type_version_id, row.customer_terms_id);
  const value = row.value_nanos === null ? null : nanos(row.value_nanos);
  const due = price(terms.price, { resolution: row.resolution, score: row.score, value });
  const { charged_nanos: charged, price_nanos: stated, held_nanos: held } = row;
  if (charged === due && stated === due && charged <= held) return null;
  const amounts = [charged, stated ?? 0n, held].map((amount) => formatMoney(nanos(amount)));
  return `${row.job_id} is charged ${amounts[0]}, states ${amounts[1]} and held ${amounts[2]}; its price is ${formatMoney(due)}`;
}
