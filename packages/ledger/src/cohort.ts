/**
 * What is known of one outcome type version's economics, from its closed jobs: the figures of core/economics. Reads every
 * job of the version: for people, not for the path of a job.
 */
import { type Cohort, cohortOf, type PricedJobs } from "@contingent/core/economics/cohort";
import type { JsonObject } from "@contingent/core/json";
import { type Nanos, nanos } from "@contingent/core/money";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { decodeCustomerTerms } from "@contingent/db/customer-terms-json";
import { atPricesOf, type VersionRow, versionOf } from "@contingent/db/outcome-types";
import { type Pool, type Queryable, readAll } from "@contingent/db/pool";

export interface CohortFilter {
  readonly outcomeType: string;
  readonly version: number;
  /** Jobs closed from this instant on, ms since the epoch. */
  readonly closedFromMs?: number | undefined;
}

export interface VersionCohort {
  readonly version: OutcomeTypeVersion;
  readonly cohort: Cohort;
  /** Half of the jobs, and 95 % of them, cost at most this; null when there are none. */
  readonly costP50: Nanos | null;
  readonly costP95: Nanos | null;
}

const STATEMENT_TIMEOUT_MS = 30_000;

const VERSION = "SELECT id, name, version, resolved FROM outcome_type_version WHERE name = $1 AND version = $2";

/** One line for each closed job of the version, whatever became of it. */
const CLOSED_JOBS = `
  SELECT j.customer_terms_id, j.resolution, j.cost_known_nanos + j.cost_presumed_nanos AS cost_nanos,
         c.amount_nanos AS charged_nanos,
         (SELECT sum(amount_nanos) FROM credit_note WHERE job_id = j.id) AS credited_nanos
    FROM job j
    LEFT JOIN charge c ON c.job_id = j.id
   WHERE j.outcome_type_version_id = $1 AND j.state = 'closed'
     AND ($2::float8 IS NULL OR j.closed_at >= to_timestamp($2 / 1000))`;

/** A line for all jobs, and one for each price that they were accepted under: the list price, or a customer's terms. */
const FIGURES = `
  SELECT f.*, t.resolved AS terms
    FROM (
      SELECT grouping(customer_terms_id) = 1 AS is_all, customer_terms_id,
             count(*) FILTER (WHERE resolution = 'success') AS success,
             count(*) FILTER (WHERE resolution = 'partial') AS partial,
             count(*) FILTER (WHERE resolution = 'failure') AS failed,
             coalesce(sum(cost_nanos), 0)::bigint AS cost,
             count(charged_nanos) AS billed,
             coalesce(sum(charged_nanos), 0)::bigint AS charged,
             coalesce(sum(credited_nanos), 0)::bigint AS credited,
             percentile_disc(0.5) WITHIN GROUP (ORDER BY cost_nanos) AS p50,
             percentile_disc(0.95) WITHIN GROUP (ORDER BY cost_nanos) AS p95
        FROM (${CLOSED_JOBS}) closed
       GROUP BY GROUPING SETS ((customer_terms_id), ())) f
    LEFT JOIN customer_terms t ON t.id = f.customer_terms_id`;

interface FiguresRow {
  readonly is_all: boolean;
  readonly terms: JsonObject | null;
  readonly success: bigint;
  readonly partial: bigint;
  readonly failed: bigint;
  readonly cost: bigint;
  readonly billed: bigint;
  readonly charged: bigint;
  readonly credited: bigint;
  readonly p50: bigint | null;
  readonly p95: bigint | null;
}

/** The closed jobs of a version; null when there is no such version. */
export async function readCohort(pool: Pool, filter: CohortFilter): Promise<VersionCohort | null> {
  return await readAll(pool, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (client) => {
    const found = await client.query<VersionRow>({ text: VERSION, values: [filter.outcomeType, filter.version] });
    const [row] = found.rows;
    if (row === undefined) return null;
    return await figuresOf(client, versionOf(row), filter.closedFromMs);
  });
}

async function figuresOf(
  client: Queryable,
  version: OutcomeTypeVersion,
  closedFromMs: number | undefined,
): Promise<VersionCohort> {
  const { rows } = await client.query<FiguresRow>({ text: FIGURES, values: [version.id, closedFromMs ?? null] });
  const all = rows.find((row) => row.is_all);
  const cohort = cohortOf(rows.filter((row) => !row.is_all).map((row) => pricedJobs(row, version)));
  return { version, cohort, costP50: quantile(all?.p50), costP95: quantile(all?.p95) };
}

function pricedJobs(row: FiguresRow, version: OutcomeTypeVersion): PricedJobs {
  const pinned = row.terms === null ? version : atPricesOf(decodeCustomerTerms(row.terms), version);
  return {
    price: pinned.terms.price,
    success: Number(row.success),
    partial: Number(row.partial),
    failed: Number(row.failed),
    cost: nanos(row.cost),
    billed: Number(row.billed),
    charged: nanos(row.charged),
    credited: nanos(row.credited),
  };
}

function quantile(value: bigint | null | undefined): Nanos | null {
  return typeof value === "bigint" ? nanos(value) : null;
}
