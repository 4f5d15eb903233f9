/** What the reference does with charges afterwards: disputes, credit notes, statements, payments. */
import { HALF_HOUR_MS } from "./catalog.ts";
import type { Reference, RefDispute } from "./reference.ts";
import type { RefJob } from "./reference-job.ts";
import { refStatement, type RefStatement } from "./reference-rating.ts";

export interface RefTooMuch {
  readonly kind: "too_much";
  readonly atMost: bigint;
}

/** Gives a part of a charge back, in the way in which it was paid. */
export function refCredit(
  reference: Reference,
  job: RefJob,
  amount: bigint,
): "no_charge" | "statement_closing" | "issued" | RefTooMuch {
  const { charge, customer: index } = job;
  if (charge === null) return "no_charge";
  if (isBeingBilled(reference, job)) return "statement_closing";
  const atMost = leftOf(job);
  if (amount <= 0n || amount > atMost) return { kind: "too_much", atMost };
  charge.credited += amount;
  const customer = reference.customer(index);
  reference.credits.push({ job, amount, month: reference.month(customer.now) });
  const source = "contra_revenue:credit ";
  const grant = { kind: "credit", amount, priority: 0, ends: null, types: null } as const;
  if (customer.isPrepaid) reference.grant(index, grant, source);
  else reference.book(source, `receivable:unbilled ${index}`, amount);
  return "issued";
}

/** What the customer has paid of the charge, or will have to. */
function leftOf({ charge }: RefJob): bigint {
  return charge === null ? 0n : charge.amount - charge.credited - (charge.reduced ?? 0n);
}

/** Whether somebody has begun to close the month of the charge, and not finished. */
function isBeingBilled(reference: Reference, { charge, customer }: RefJob): boolean {
  return charge !== null && reference.customer(customer).closing === charge.month;
}

/** @param asked null: all that is left of the charge */
export function refDispute(
  reference: Reference,
  job: RefJob,
  asked: bigint | null,
): "no_charge" | "open_already" | "window_over" | RefTooMuch | RefDispute {
  const { charge } = job;
  if (charge === null) return "no_charge";
  if (reference.disputes.some((dispute) => dispute.job === job && dispute.isOpen)) return "open_already";
  if (reference.customer(job.customer).now >= charge.safeAt) return "window_over";
  const atMost = leftOf(job);
  const amount = asked ?? atMost;
  if (amount <= 0n || amount > atMost) return { kind: "too_much", atMost };
  const dispute: RefDispute = { job, amount, isOpen: true, isWithdrawn: false };
  reference.disputes.push(dispute);
  reference.book("revenue:accrued ", "revenue:disputed ", amount);
  return dispute;
}

/** @param given what the customer gets back; null: the charge stands; `all`: what was disputed and is still there */
export function refResolve(
  reference: Reference,
  dispute: RefDispute,
  given: bigint | "all" | null,
): "resolved" | "statement_closing" | RefTooMuch {
  const { job, amount } = dispute;
  if (given !== null && isBeingBilled(reference, job)) return "statement_closing";
  const left = leftOf(job);
  const atMost = left < amount ? left : amount;
  const credit = given === "all" ? atMost : given;
  if (credit !== null && (credit <= 0n || credit > atMost)) return { kind: "too_much", atMost };
  dispute.isOpen = false;
  reference.book("revenue:disputed ", "revenue:accrued ", amount);
  if (credit !== null) refCredit(reference, job, credit);
  return "resolved";
}

type RefBegun = "not_over" | "earlier_open" | "empty" | "begun_before" | "begun";

export type RefClosing =
  | { readonly kind: Exclude<RefBegun, "begun"> }
  | { readonly kind: "begun"; readonly statement: RefStatement };

/** Closes a month of a customer, if it can be. */
export function refClose(reference: Reference, index: number, month: string): RefClosing {
  const kind = refBeginClosing(reference, index, month);
  return kind === "begun" ? { kind, statement: refFinishClosing(reference, index) } : { kind };
}

/** From here on nothing more comes into the month. */
export function refBeginClosing(reference: Reference, index: number, month: string): RefBegun {
  const customer = reference.customer(index);
  if (month < customer.openMonth) return customer.statements.has(month) ? "begun_before" : "empty";
  if (reference.month(customer.now) <= month) return "not_over";
  for (let each = customer.openMonth; each < month; each = nextMonth(each)) {
    if (!isEmpty(reference, index, each)) return "earlier_open";
  }
  customer.openMonth = nextMonth(month);
  if (isEmpty(reference, index, month)) return "empty";
  customer.closing = month;
  return "begun";
}

/** The statement of the month that is being closed is booked. */
export function refFinishClosing(reference: Reference, index: number): RefStatement {
  const customer = reference.customer(index);
  const { closing: month } = customer;
  if (month === null) throw new Error("no month is being closed");
  const jobs = chargesOf(reference, index, month);
  const statement = statementOf(reference, index, month, jobs);
  for (const [at, { charge }] of jobs.entries()) if (charge !== null) charge.reduced = statement.reductions[at] ?? 0n;
  customer.closing = null;
  customer.statements.set(month, { due: statement.due, paid: 0n });
  bookStatement(reference, index, statement);
  return statement;
}

/** The jobs that were charged in a month, in that order. */
function chargesOf(reference: Reference, index: number, month: string): readonly RefJob[] {
  const jobs = reference.jobs.filter((job) => job.customer === index && job.charge?.month === month);
  return jobs.toSorted((left, right) => (left.charge?.order ?? 0) - (right.charge?.order ?? 0));
}

/** What the statement of a month says. Whatever was given back until now it does not reduce. */
function statementOf(reference: Reference, index: number, month: string, jobs: readonly RefJob[]): RefStatement {
  const lines = jobs.map((job) => ({
    type: job.type.name,
    charged: job.charge?.amount ?? 0n,
    credited: job.charge?.credited ?? 0n,
    terms: job.terms,
  }));
  const credits = {
    ofPeriod: creditsOf(reference, index, month, (job) => job.charge?.month === month),
    ofEarlier: creditsOf(reference, index, month, (job) => job.charge?.month !== month),
  };
  return refStatement(lines, credits, termsAtEnd(reference, index, month), reference.customer(index).isPrepaid);
}

function creditsOf(reference: Reference, index: number, month: string, counts: (job: RefJob) => boolean): bigint {
  const own = reference.credits.filter((each) => each.job.customer === index && each.month === month);
  return own.filter(({ job }) => counts(job)).reduce((total, { amount }) => total + amount, 0n);
}

function bookStatement(reference: Reference, index: number, statement: RefStatement): void {
  const { allowance, bands, discount, fixedOwed, fixedPrepaid, commitment, rounding, due } = statement;
  const isPrepaid = reference.customer(index).isPrepaid;
  const unbilled = `receivable:unbilled ${index}`;
  for (const [because, amount] of Object.entries({
    allowance,
    bands,
    discount,
    fixed_discount: fixedOwed + fixedPrepaid,
  })) {
    if (amount === 0n) continue;
    const source = `contra_revenue:adjustment ${because}`;
    const grant = { kind: "rebate", amount, priority: 0, ends: null, types: null } as const;
    if (isPrepaid) reference.grant(index, grant, source);
    else reference.book(source, unbilled, amount);
  }
  reference.book(unbilled, "revenue:commitment ", commitment);
  reference.book(unbilled, "rounding ", rounding);
  reference.book(`receivable:billed ${index}`, unbilled, due);
}

function isEmpty(reference: Reference, index: number, month: string): boolean {
  if ((termsAtEnd(reference, index, month)?.minimum ?? 0n) > 0n) return false;
  const isClosedIn = reference.jobs.some((job) => job.customer === index && job.closedIn === month);
  return !isClosedIn && !reference.credits.some((each) => each.job.customer === index && each.month === month);
}

function termsAtEnd(reference: Reference, index: number, month: string): ReturnType<Reference["termsAt"]> {
  return reference.termsAt(index, (Date.parse(`${nextMonth(month)}-01T00:00:00Z`) - reference.startMs) / HALF_HOUR_MS);
}

export function nextMonth(month: string): string {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year ?? 0, number ?? 1)).toISOString().slice(0, 7);
}

/** A payment of a statement. */
export function refPay(
  reference: Reference,
  index: number,
  month: string,
  amount: bigint,
): "paid" | "no_statement" | { readonly kind: "too_much"; readonly balance: bigint } {
  const closed = reference.customer(index).statements.get(month);
  if (closed === undefined) return "no_statement";
  if (amount > closed.due - closed.paid) return { kind: "too_much", balance: closed.due - closed.paid };
  closed.paid += amount;
  reference.book("cash ", `receivable:billed ${index}`, amount);
  return "paid";
}
