/** How a statement stands in its row, and the way back. */
import type { CustomerId, CustomerTermsId, StatementId } from "@contingent/core/ids";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import type { AuditCounts } from "@contingent/core/quality/false-bills";
import { type Period, statementIdOf } from "@contingent/core/statement/period";
import type { Split, StatementTotals, TypeTally } from "@contingent/core/statement/totals";
import { msOf } from "@contingent/db/job-row";

/** A statement without its figures: whose it is, of which period, and how far it has come. */
export interface StatementHead {
  readonly id: StatementId;
  readonly customerId: CustomerId;
  readonly period: Period;
  readonly state: "open" | "closing" | "closed";
  readonly currency: Currency;
  /** The terms that decide fixed discount and commitment; null: nothing was agreed. */
  readonly termsId: CustomerTermsId | null;
}

/** A closed statement: what its row says, and never anything else. */
export interface ClosedStatement extends StatementHead {
  readonly state: "closed";
  readonly number: string;
  readonly closedAtMs: number;
  readonly linesHash: string;
  readonly totals: StatementTotals;
  /** What audits had found by then, of each outcome type that had been audited. */
  readonly audited: ReadonlyMap<string, AuditCounts>;
}

/** The columns of `statement s`; select them by this fragment. */
export const STATEMENT_COLUMNS = `s.*, ${msOf("s.period_start")} AS start_ms, ${msOf("s.period_end")} AS end_ms, ${msOf("s.closed_at")} AS closed_ms`;

interface HeadColumns {
  readonly id: StatementId;
  readonly customer_id: CustomerId;
  readonly currency: Currency;
  readonly terms_id: CustomerTermsId | null;
  readonly start_ms: number;
  readonly end_ms: number;
}

interface ClosingRow extends HeadColumns {
  readonly state: "closing";
}

interface ClosedRow extends HeadColumns {
  readonly state: "closed";
  readonly number: string;
  readonly closed_ms: number;
  readonly lines_billed: number;
  readonly lines_unbilled: number;
  readonly lines_credits: number;
  readonly lines_hash: string;
  readonly gross_nanos: bigint;
  readonly gross_prepaid_nanos: bigint;
  readonly allowance_nanos: bigint;
  readonly allowance_prepaid_nanos: bigint;
  readonly bands_nanos: bigint;
  readonly bands_prepaid_nanos: bigint;
  readonly discount_nanos: bigint;
  readonly discount_prepaid_nanos: bigint;
  readonly fixed_discount_nanos: bigint;
  readonly fixed_discount_prepaid_nanos: bigint;
  readonly credits_nanos: bigint;
  readonly credits_prepaid_nanos: bigint;
  readonly commitment_nanos: bigint;
  readonly rounding_nanos: bigint;
  readonly amount_due_nanos: bigint;
  readonly outcome_types: readonly StoredTypeTally[];
}

/** A row of `statement`. */
export type StatementRow = ClosingRow | ClosedRow;

/** Amounts are strings, because JSON numbers are doubles. */
interface StoredTypeTally {
  readonly name: string;
  readonly billed: number;
  readonly unbilled: number;
  readonly gross: string;
  readonly reductions: string;
  readonly credits: string;
  /** Absent before the first audit of the outcome type. */
  readonly audited?: AuditCounts;
}

/** A statement that has not been begun to be closed. */
export function openHead(subject: {
  readonly customerId: CustomerId;
  readonly period: Period;
  readonly termsId: CustomerTermsId | null;
}): StatementHead {
  return { ...subject, id: statementIdOf(subject.customerId, subject.period), state: "open", currency: "USD" };
}

export function headOf(row: StatementRow): StatementHead {
  return {
    id: row.id,
    customerId: row.customer_id,
    period: { startMs: row.start_ms, endMs: row.end_ms },
    state: row.state,
    currency: row.currency,
    termsId: row.terms_id,
  };
}

export function closedOf(row: ClosedRow): ClosedStatement {
  return {
    ...headOf(row),
    state: "closed",
    number: row.number,
    closedAtMs: row.closed_ms,
    linesHash: row.lines_hash,
    totals: {
      linesBilled: row.lines_billed,
      linesUnbilled: row.lines_unbilled,
      linesCredits: row.lines_credits,
      gross: split(row.gross_nanos, row.gross_prepaid_nanos),
      allowance: split(row.allowance_nanos, row.allowance_prepaid_nanos),
      bands: split(row.bands_nanos, row.bands_prepaid_nanos),
      discount: split(row.discount_nanos, row.discount_prepaid_nanos),
      fixedDiscount: split(row.fixed_discount_nanos, row.fixed_discount_prepaid_nanos),
      credits: split(row.credits_nanos, row.credits_prepaid_nanos),
      commitment: nanos(row.commitment_nanos),
      rounding: nanos(row.rounding_nanos),
      amountDue: nanos(row.amount_due_nanos),
      outcomeTypes: new Map(row.outcome_types.map((stored) => [stored.name, typeTallyOf(stored)])),
    },
    audited: new Map(
      row.outcome_types.flatMap(({ name, audited }) => (audited === undefined ? [] : [[name, audited]])),
    ),
  };
}

function split(onAccount: bigint, prepaid: bigint): Split {
  return { onAccount: nanos(onAccount), prepaid: nanos(prepaid) };
}

function typeTallyOf({ billed, unbilled, gross, reductions, credits }: StoredTypeTally): TypeTally {
  const amount = (text: string): Nanos => nanos(BigInt(text));
  return { billed, unbilled, gross: amount(gross), reductions: amount(reductions), credits: amount(credits) };
}

/** The figures, and what audits have found until now, as columns for `jsonb_populate_record`. */
export function totalsColumns(
  totals: StatementTotals,
  audited: ReadonlyMap<string, AuditCounts>,
): Readonly<Record<string, string | number | object>> {
  const { gross, allowance, bands, discount, fixedDiscount, credits } = totals;
  const splits = { gross, allowance, bands, discount, fixed_discount: fixedDiscount, credits };
  const amounts = Object.entries(splits).flatMap(([name, { onAccount, prepaid }]) => [
    [`${name}_nanos`, onAccount.toString()],
    [`${name}_prepaid_nanos`, prepaid.toString()],
  ]);
  return {
    ...(Object.fromEntries(amounts) as Record<string, string>),
    lines_billed: totals.linesBilled,
    lines_unbilled: totals.linesUnbilled,
    lines_credits: totals.linesCredits,
    commitment_nanos: totals.commitment.toString(),
    rounding_nanos: totals.rounding.toString(),
    amount_due_nanos: totals.amountDue.toString(),
    outcome_types: Array.from(totals.outcomeTypes, ([name, tally]) => ({
      name,
      billed: tally.billed,
      unbilled: tally.unbilled,
      gross: tally.gross.toString(),
      reductions: tally.reductions.toString(),
      credits: tally.credits.toString(),
      audited: audited.get(name),
    })).toSorted((left, right) => (left.name < right.name ? -1 : 1)),
  };
}
