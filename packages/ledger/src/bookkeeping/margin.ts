/**
 * What was earned, given away and paid for, by whatever it is asked by. Roll-ups, plus what is not sealed yet: exact at any
 * time, and its cost does not grow with the number of jobs there ever were.
 */
import type { CustomerId } from "@contingent/core/ids";
import { type Nanos, nanos } from "@contingent/core/money";
import type { Pool } from "@contingent/db/pool";
import { NO_END, SEALED_UNTIL } from "./chain.ts";
import { MARGIN_COLUMNS, MARGIN_MEASURES, marginLines } from "./margin-lines.ts";

/** What a line may be of, with the columns that name it. */
const DIMENSIONS = {
  day: ["to_char(l.day, 'YYYY-MM-DD') AS day"],
  customer: ["nullif(l.customer_id, '') AS customer_id"],
  outcome_type: ["o.name AS outcome_type"],
  outcome_type_version: ["o.name AS outcome_type", "o.version AS outcome_type_version"],
  tier: ["nullif(l.tier, '') AS tier"],
  model: ["nullif(l.model, '') AS model"],
} as const;
export type MarginDimension = keyof typeof DIMENSIONS;

export interface MarginFilter {
  readonly groupBy: readonly [MarginDimension, ...MarginDimension[]];
  /** Days of UTC as `2026-11-30`: from this one on, and before that one. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly outcomeType?: string | undefined;
  readonly customerId?: CustomerId | undefined;
}

export interface MarginFigures {
  /** Jobs that were closed. */
  readonly closed: number;
  readonly billed: number;
  readonly partial: number;
  readonly failed: number;
  /** Requests to models for them. */
  readonly calls: number;
  readonly revenue: Nanos;
  readonly credits: Nanos;
  /** Discounts, allowances and rounding: what periods take off, and no single job. */
  readonly adjustments: Nanos;
  readonly cost: Nanos;
  /** The part of the cost that was for jobs which were closed without a charge. */
  readonly absorbed: Nanos;
}

/** Only what the lines are grouped by is there; null where something belongs to none, such as a discount to no tier. */
export interface MarginLine extends MarginFigures {
  readonly day?: string;
  readonly customerId?: CustomerId | null;
  readonly outcomeType?: string | null;
  readonly version?: number | null;
  readonly tier?: string | null;
  readonly model?: string | null;
}

export interface Margin {
  readonly lines: readonly MarginLine[];
  /** There are more lines than are listed. */
  readonly isMore: boolean;
  /** Of all lines, listed or not. */
  readonly totals: MarginFigures;
}

export const MARGIN_LINES_MAX = 1_000;

interface MarginRow {
  readonly is_total: boolean;
  readonly day?: string;
  readonly customer_id?: CustomerId | null;
  readonly outcome_type?: string | null;
  readonly outcome_type_version?: number | null;
  readonly tier?: string | null;
  readonly model?: string | null;
  readonly revenue_nanos: bigint;
  readonly credits_nanos: bigint;
  readonly adjustments_nanos: bigint;
  readonly cost_nanos: bigint;
  readonly absorbed_nanos: bigint;
  readonly closed: bigint;
  readonly billed: bigint;
  readonly partial: bigint;
  readonly failed: bigint;
  readonly calls: bigint;
}

/** One statement, and so one snapshot: what is sealed meanwhile is counted once. */
export function marginStatement(groupBy: readonly MarginDimension[]): string {
  const columns = [...new Set(groupBy.flatMap((dimension) => DIMENSIONS[dimension]))];
  const names = columns.map((column) => column.replace(/^.* AS /, ""));
  const sums = MARGIN_MEASURES.map((name) => `coalesce(sum(${name}), 0)::bigint AS ${name}`).join(", ");
  const rows = (source: string): string => `
    SELECT ${MARGIN_COLUMNS.join(", ")} FROM ${source} m
     WHERE ($1::date IS NULL OR day >= $1) AND ($2::date IS NULL OR day < $2) AND ($3::text IS NULL OR customer_id = $3)`;
  return `
  SELECT grouping(${names.join(", ")}) > 0 AS is_total, ${names.join(", ")}, ${sums}
    FROM (SELECT ${columns.join(", ")}, ${MARGIN_MEASURES.join(", ")}
            FROM (${rows("margin_rollup")} UNION ALL ${rows(`(${marginLines(SEALED_UNTIL, NO_END)})`)}) l
            LEFT JOIN outcome_type_version o ON o.id = l.outcome_type_version_id
           WHERE $4::text IS NULL OR o.name = $4) named
   GROUP BY GROUPING SETS ((${names.join(", ")}), ())
   ORDER BY is_total DESC, ${names.join(", ")}
   LIMIT ${MARGIN_LINES_MAX + 2}`;
}

/** The margin as of now, in the order of what it is grouped by. */
export async function readMargin(pool: Pool, filter: MarginFilter): Promise<Margin> {
  const { groupBy, from, until, customerId, outcomeType } = filter;
  const { rows } = await pool.query<MarginRow>({
    text: marginStatement(groupBy),
    values: [from ?? null, until ?? null, customerId ?? null, outcomeType ?? null],
  });
  const [total, ...lines] = rows;
  if (total === undefined) throw new Error("a sum over nothing is a row, too");
  return {
    lines: lines.slice(0, MARGIN_LINES_MAX).map(lineOf),
    isMore: lines.length > MARGIN_LINES_MAX,
    totals: figuresOf(total),
  };
}

function figuresOf(row: MarginRow): MarginFigures {
  return {
    closed: Number(row.closed),
    billed: Number(row.billed),
    partial: Number(row.partial),
    failed: Number(row.failed),
    calls: Number(row.calls),
    revenue: nanos(row.revenue_nanos),
    credits: nanos(row.credits_nanos),
    adjustments: nanos(row.adjustments_nanos),
    cost: nanos(row.cost_nanos),
    absorbed: nanos(row.absorbed_nanos),
  };
}

function lineOf(row: MarginRow): MarginLine {
  const { day, customer_id: customerId, outcome_type: outcomeType, outcome_type_version: version, tier, model } = row;
  return {
    ...(day === undefined ? {} : { day }),
    ...(customerId === undefined ? {} : { customerId }),
    ...(outcomeType === undefined ? {} : { outcomeType }),
    ...(version === undefined ? {} : { version }),
    ...(tier === undefined ? {} : { tier }),
    ...(model === undefined ? {} : { model }),
    ...figuresOf(row),
  };
}
