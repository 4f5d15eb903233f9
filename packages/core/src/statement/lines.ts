/** The lines of a statement: each job that closed in the period, the unbilled ones too, and each credit note. */
import type { Billing } from "../books/funding.ts";
import type { CreditNoteId, JobId } from "../ids.ts";
import type { Reason, Resolution } from "../job/job.ts";
import { canonicalJson, type JsonObject } from "../json.ts";
import { add, formatMoney, type Nanos, subtract, ZERO } from "../money.ts";
import type { CustomerTerms } from "../pricing/rating/customer-terms.ts";
import { rateLine } from "../pricing/rating/rate-line.ts";

/** A job that closed in the period, as it stands in the books. */
export interface ClosedJob {
  readonly jobId: JobId;
  /** UTC with microseconds, as the database says it: what the lines are ordered by. */
  readonly closedAt: string;
  readonly outcomeType: string;
  readonly outcomeTypeVersion: number;
  readonly outcomeKey: string | null;
  readonly resolution: Resolution;
  readonly reason: Reason;
  readonly attempts: number;
  /** Null: nothing was charged. */
  readonly charge: ChargeOfJob | null;
}

export interface ChargeOfJob {
  readonly amount: Nanos;
  readonly billing: Billing;
  /** What credit notes have given back of it before its statement began to be closed. */
  readonly credited: Nanos;
}

export interface JobLine extends ClosedJob {
  readonly kind: "job";
  /** Which of the period's charged outcomes of its type it is, from 1; null when nothing was charged. */
  readonly ordinal: number | null;
  readonly allowance: Nanos;
  readonly bands: Nanos;
  readonly discount: Nanos;
  /** What is left of the charge. */
  readonly net: Nanos;
}

export interface CreditLine {
  readonly kind: "credit";
  readonly creditNoteId: CreditNoteId;
  readonly at: string;
  readonly jobId: JobId;
  readonly outcomeType: string;
  readonly outcomeTypeVersion: number;
  readonly outcomeKey: string | null;
  readonly amount: Nanos;
  /** In the words of whoever gave it. */
  readonly reason: string;
  /** Whether it comes off what is owed or went back to prepaid money. */
  readonly billing: Billing;
  /** Whether the charge is of this same period, too. */
  readonly ofPeriod: boolean;
}

export type StatementLine = JobLine | CreditLine;

/** How far the charged outcomes of a type are counted: which one the next is, and how many there are. */
export interface Counted {
  readonly ordinal: number;
  readonly total: number;
}

/**
 * What a closed job comes to on its statement, by the terms it was accepted under (null: nothing special).
 *
 * Reductions apply to what earlier credit notes have left of the charge: else an outcome that the allowance
 * made free could be credited as well, and its customer be paid for it.
 */
export function jobLine(job: ClosedJob, terms: CustomerTerms | null, counted: Counted | null): JobLine {
  const { charge, outcomeType } = job;
  if (charge === null || counted === null) return { ...job, kind: "job", ordinal: null, ...UNCHARGED };
  const { ordinal } = counted;
  if (terms === null) return { ...job, kind: "job", ordinal, ...UNCHARGED, net: charge.amount };
  const price = subtract(charge.amount, charge.credited);
  const { net, ...reductions } = rateLine(terms, { outcomeType, ...counted, price });
  return { ...job, kind: "job", ordinal, ...reductions, net: add(net, charge.credited) };
}

/** What the statement takes off a charge: no credit note can give that back any more. */
export function reductionOf(line: StatementLine): Nanos {
  return line.kind === "job" ? add(add(line.allowance, line.bands), line.discount) : ZERO;
}

const UNCHARGED = { allowance: ZERO, bands: ZERO, discount: ZERO, net: ZERO };

/** A line's one text: what a statement's hash is over. */
export function canonicalLine(line: StatementLine): string {
  return canonicalJson(line.kind === "job" ? jobAsJson(line) : creditAsJson(line));
}

function jobAsJson(line: JobLine): JsonObject {
  const { charge } = line;
  return {
    kind: line.kind,
    job: line.jobId,
    at: line.closedAt,
    outcome_type: line.outcomeType,
    version: line.outcomeTypeVersion,
    outcome_key: line.outcomeKey,
    resolution: line.resolution,
    reason: line.reason,
    charged: charge === null ? null : formatMoney(charge.amount),
    credited: charge === null ? null : formatMoney(charge.credited),
    billing: charge?.billing ?? null,
    ordinal: line.ordinal,
    allowance: formatMoney(line.allowance),
    bands: formatMoney(line.bands),
    discount: formatMoney(line.discount),
    net: formatMoney(line.net),
  };
}

function creditAsJson(line: CreditLine): JsonObject {
  return {
    kind: line.kind,
    credit_note: line.creditNoteId,
    job: line.jobId,
    at: line.at,
    amount: formatMoney(line.amount),
    reason: line.reason,
    billing: line.billing,
    of_period: line.ofPeriod,
  };
}
