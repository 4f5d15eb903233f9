/**
 * What a provider has invoiced, held against what is booked as owed to it, by model and day. What a reconciliation books is
 * the drift: one sum for the whole period, so that after it the provider is owed what it asks for.
 */
import { type Nanos, subtract, sum, ZERO } from "../money.ts";
import { checked, type Transaction } from "./books.ts";
import { either } from "./statements.ts";

/** A day of UTC, as `2026-11-25`. */
export type Day = string;

/** Days of a provider's invoice, from the first one until before the last one. */
export interface Period {
  readonly provider: string;
  readonly from: Day;
  readonly until: Day;
}

export interface InvoicedCost {
  readonly model: string;
  readonly day: Day;
  readonly amount: Nanos;
}

export interface BookedCost {
  readonly model: string;
  readonly day: Day;
  readonly amount: Nanos;
  /** The part of it that stands for lost answers, at their worst case. */
  readonly estimated: Nanos;
}

/** One model on one day. Null on the side that has no such line. */
export interface ReconciledLine {
  readonly model: string;
  readonly day: Day;
  readonly invoiced: Nanos | null;
  readonly booked: Nanos | null;
  readonly estimated: Nanos;
}

/** Every line that either side has, by model and day. Each side has a model and day once at most. */
export function compare(invoiced: readonly InvoicedCost[], booked: readonly BookedCost[]): readonly ReconciledLine[] {
  const lines = new Map<string, ReconciledLine>();
  for (const { model, day, amount } of invoiced) {
    lines.set(placeOf(model, day), { model, day, invoiced: amount, booked: null, estimated: ZERO });
  }
  for (const { model, day, amount, estimated } of booked) {
    const asked = lines.get(placeOf(model, day))?.invoiced ?? null;
    lines.set(placeOf(model, day), { model, day, invoiced: asked, booked: amount, estimated });
  }
  return [...lines.keys()].toSorted().flatMap((place) => lines.get(place) ?? []);
}

/** A day has always ten characters, so that places sort by model and then by day. */
function placeOf(model: string, day: Day): string {
  return `${model}\n${day}`;
}

/** By how much the invoice exceeds the books. */
export function differenceOf({ invoiced, booked }: Pick<ReconciledLine, "invoiced" | "booked">): Nanos {
  return subtract(invoiced ?? ZERO, booked ?? ZERO);
}

export interface ReconciledTotals {
  readonly invoiced: Nanos;
  readonly booked: Nanos;
  readonly estimated: Nanos;
  /** Invoiced less booked. */
  readonly drift: Nanos;
}

export function totalsOf(lines: readonly ReconciledLine[]): ReconciledTotals {
  return {
    invoiced: sum(lines.map((line) => line.invoiced ?? ZERO)),
    booked: sum(lines.map((line) => line.booked ?? ZERO)),
    estimated: sum(lines.map((line) => line.estimated)),
    drift: sum(lines.map(differenceOf)),
  };
}

/** The models that one side does not have at all in the period: not called by us, or not asked for. */
export function modelsOfOneSide(lines: readonly ReconciledLine[]): {
  readonly invoicedOnly: readonly string[];
  readonly bookedOnly: readonly string[];
} {
  const invoiced = new Set(lines.filter((line) => line.invoiced !== null).map((line) => line.model));
  const booked = new Set(lines.filter((line) => line.booked !== null).map((line) => line.model));
  return {
    invoicedOnly: [...invoiced].filter((model) => !booked.has(model)),
    bookedOnly: [...booked].filter((model) => !invoiced.has(model)),
  };
}

/** Whether two comparisons say the same. */
export function saysTheSame(left: readonly ReconciledLine[], right: readonly ReconciledLine[]): boolean {
  return (
    left.length === right.length &&
    left.every((line, i) => {
      const other = right[i];
      return (
        line.model === other?.model &&
        line.day === other.day &&
        line.invoiced === other.invoiced &&
        line.booked === other.booked &&
        line.estimated === other.estimated
      );
    })
  );
}

/**
 * The difference between what a provider has invoiced for a period and what is booked for it. Positive: the calls were
 * dearer than booked. `number` counts the invoices for the same period: a later one books the difference to the earlier.
 */
export function invoiceDrift(drift: {
  readonly provider: string;
  /** First day and the one after the last, such as `2026-11-01:2026-12-01`. */
  readonly period: string;
  readonly number: number;
  readonly amount: Nanos;
}): Transaction {
  const { provider, period, number, amount } = drift;
  const postings = either({ class: "cogs:drift", of: provider }, { class: "payable", of: provider }, amount);
  const key = `recon:${provider}:${period}:${number}`;
  return checked({ kind: "reconciliation", key, jobId: null, customerId: null, postings });
}
