/** Statement periods: calendar months of UTC, in the customer's own time. A statement's id says whose and of which period it is. */
import type { CustomerId, StatementId } from "../ids.ts";
import { isId } from "../ids.ts";

/** From its start up to, but not including, its end; ms since the epoch. */
export interface Period {
  readonly startMs: number;
  readonly endMs: number;
}

interface Month {
  readonly year: number;
  /** From 1. */
  readonly month: number;
}

/** The period that an instant lies in. */
export function periodAt(atMs: number): Period {
  return periodOf(monthAt(atMs));
}

export function periodAfter(period: Period): Period {
  return periodAt(period.endMs);
}

function periodOf({ year, month }: Month): Period {
  return { startMs: startOf({ year, month }), endMs: startOf({ year, month: month + 1 }) };
}

const DAY_MS = 86_400_000;
const DAYS_PER_400_YEARS = 146_097;
/** From 0000-03-01, from which the calendar is counted here, to 1970-01-01. */
const DAYS_TO_EPOCH = 719_468;

/** Years begin in March for counting: the leap day is then the last one, and the months before it have a regular pattern. */
function startOf({ year, month }: Month): number {
  const marchYear = year + Math.floor((month - 3) / 12);
  const marchMonth = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return (marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) - DAYS_TO_EPOCH) * DAY_MS;
}

function monthAt(atMs: number): Month {
  const days = Math.floor(atMs / DAY_MS) + DAYS_TO_EPOCH;
  const era = Math.floor(days / DAYS_PER_400_YEARS);
  const day = days - era * DAYS_PER_400_YEARS;
  const year = Math.floor((day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = ((marchMonth + 2) % 12) + 1;
  return { year: era * 400 + year + (month <= 2 ? 1 : 0), month };
}

/** Year and month: `2026-11`. */
export function periodName(period: Period): string {
  const { year, month } = monthAt(period.startMs);
  return `${year.toString().padStart(4, "0")}-${month.toString().padStart(2, "0")}`;
}

/** `stm_<the body of the customer's id><yyyymm>`. */
export function statementIdOf(customerId: CustomerId, period: Period): StatementId {
  return `stm_${bodyOf(customerId)}${periodName(period).replace("-", "")}`;
}

/** Whose statement it would be, and of which period; null when no statement can have this id. */
export function statementSubject(id: StatementId): { readonly customerId: CustomerId; readonly period: Period } | null {
  const match = /^(.+)(\d{4})(\d{2})$/.exec(bodyOf(id));
  if (match === null) return null;
  const [, body, year, month] = match;
  const customerId = `cus_${body}`;
  if (!isId("cus", customerId) || Number(month) < 1 || Number(month) > 12) return null;
  return { customerId, period: periodOf({ year: Number(year), month: Number(month) }) };
}

function bodyOf(id: CustomerId | StatementId): string {
  return id.slice(id.indexOf("_") + 1);
}

/** A statement's number: its year and how-manieth statement of that year it is. */
export function statementNumber(period: Period, count: number): string {
  return `${yearOf(period)}-${count.toString().padStart(NUMBER_DIGITS, "0")}`;
}

const NUMBER_DIGITS = 6;

export function yearOf(period: Period): number {
  return monthAt(period.startMs).year;
}
