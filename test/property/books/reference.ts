/**
 * The books in memory: what two customers have, owe and were charged, in plain arithmetic. It knows no database, no
 * message and no retry; each thing happens to it once.
 */
import { HALF_HOUR_MS, type RefTerms, SOLD, type SoldType } from "./catalog.ts";
import { moveRefJob, newRefJob, type RefCharge, type RefFact, type RefJob } from "./reference-job.ts";
import { refHold, refPrice } from "./reference-rating.ts";

export interface RefGrant {
  readonly kind: "top_up" | "promotion" | "credit" | "rebate";
  readonly amount: bigint;
  available: bigint;
  readonly priority: number;
  /** Half hours since the run began; null: it does not expire. */
  readonly ends: number | null;
  readonly types: readonly string[] | null;
}

export interface RefCredit {
  readonly job: RefJob;
  readonly amount: bigint;
  readonly month: string;
}

export interface RefDispute {
  readonly job: RefJob;
  readonly amount: bigint;
  isOpen: boolean;
  isWithdrawn: boolean;
}

export interface RefClosed {
  readonly due: bigint;
  paid: bigint;
}

export interface RefCustomer {
  readonly isPrepaid: boolean;
  /** Half hours since the run began: always odd. */
  now: number;
  limit: { readonly amount: bigint; readonly period: "day" | "month" } | null;
  readonly grants: RefGrant[];
  /** Each with the instant from which it is in force. */
  readonly terms: { readonly from: number; readonly terms: RefTerms }[];
  /** The first month that is not closed, and the statements of those that are. */
  openMonth: string;
  /** The month that somebody has begun to close, and not finished. */
  closing: string | null;
  readonly statements: Map<string, RefClosed>;
}

export type RefSubmitted =
  | { readonly kind: "accepted"; readonly job: RefJob }
  | { readonly kind: "refused"; readonly shortage: Readonly<Record<string, unknown>> };

export class Reference {
  readonly customers: readonly [RefCustomer, RefCustomer];
  readonly jobs: RefJob[] = [];
  readonly credits: RefCredit[] = [];
  readonly disputes: RefDispute[] = [];
  /** Debits positive, by account: its class, a space, and whose or of what it is. */
  readonly balances = new Map<string, bigint>();
  readonly startMs: number;
  #charges = 0;

  /** @param startMs the beginning of the month in which the run begins, half an hour later */
  constructor(startMs: number) {
    this.startMs = startMs;
    this.customers = [this.#opened(true), this.#opened(false)];
  }

  #opened(isPrepaid: boolean): RefCustomer {
    const openMonth = new Date(this.startMs).toISOString().slice(0, 7);
    return { isPrepaid, now: 1, limit: null, grants: [], terms: [], openMonth, closing: null, statements: new Map() };
  }

  customer(index: number): RefCustomer {
    return this.customers[index === 0 ? 0 : 1];
  }

  /** Moves an amount between two accounts. */
  book(debit: string, credit: string, amount: bigint): void {
    this.balances.set(debit, (this.balances.get(debit) ?? 0n) + amount);
    this.balances.set(credit, (this.balances.get(credit) ?? 0n) - amount);
  }

  day(now: number): string {
    return new Date(this.startMs + now * HALF_HOUR_MS).toISOString().slice(0, 10);
  }

  month(now: number): string {
    return this.day(now).slice(0, 7);
  }

  /** Money comes in, out of this account. @returns which grant of the customer it is */
  grant(index: number, grant: Omit<RefGrant, "available">, source: string): number {
    const { grants } = this.customer(index);
    grants.push({ ...grant, available: grant.amount });
    this.book(source, prepaid(index, grants.length - 1), grant.amount);
    return grants.length - 1;
  }

  held(index: number): bigint {
    const open = this.jobs.filter((job) => job.customer === index && job.state !== "closed");
    return open.reduce((total, job) => total + job.hold, 0n);
  }

  spent(index: number, period: "day" | "month"): bigint {
    const today = period === "day" ? this.day(this.customer(index).now) : this.month(this.customer(index).now);
    const charged = this.jobs.filter((job) => job.customer === index && job.charge?.[period] === today);
    return charged.reduce((total, job) => total + (job.charge?.amount ?? 0n), 0n);
  }

  termsAt(index: number, before: number): RefTerms | null {
    return this.customer(index).terms.findLast(({ from }) => from <= before)?.terms ?? null;
  }

  /** A job is asked for: its money is held, or something is missing. */
  submit(index: number, type: SoldType): RefSubmitted {
    const customer = this.customer(index);
    const terms = this.termsAt(index, customer.now);
    const price = terms?.prices[type.name] ?? type.price;
    const needed = refHold(price);
    const { limit } = customer;
    if (limit !== null) {
      const [held, spent] = [this.held(index), this.spent(index, limit.period)];
      if (held + spent + needed > limit.amount) {
        const shortage = {
          because: "spending_limit",
          needed,
          limit: limit.amount,
          period: limit.period,
          held,
          spent,
        };
        return { kind: "refused", shortage };
      }
    }
    if (!customer.isPrepaid) {
      this.book("memo:contra ", `customer:authorized ${index}`, needed);
      return {
        kind: "accepted",
        job: this.#begin({ customer: index, type, price, terms, hold: needed, slices: null }),
      };
    }
    const usable = this.#burnOrder(customer, type.name);
    const available = usable.reduce((total, [, grant]) => total + grant.available, 0n);
    if (available < needed)
      return { kind: "refused", shortage: { because: "insufficient_prepaid", needed, available } };
    const slices: (readonly [number, bigint])[] = [];
    let missing = needed;
    for (const [at, grant] of usable) {
      const slice = grant.available < missing ? grant.available : missing;
      if (slice === 0n) break;
      grant.available -= slice;
      missing -= slice;
      slices.push([at, slice]);
      this.book(prepaid(index, at), `customer:held ${index}`, slice);
    }
    return { kind: "accepted", job: this.#begin({ customer: index, type, price, terms, hold: needed, slices }) };
  }

  #begin(given: Parameters<typeof newRefJob>[0]): RefJob {
    const job = newRefJob(given, this.customer(given.customer).now);
    this.jobs.push(job);
    return job;
  }

  /** By priority, then by expiry, then by age. */
  #burnOrder({ grants, now }: RefCustomer, type: string): readonly (readonly [number, RefGrant])[] {
    const rank = ({ priority, ends }: RefGrant): number => priority * 1e9 + (ends ?? 1e9 - 1);
    return [...grants.entries()]
      .filter(([, { available, ends, types }]) => {
        return available > 0n && (ends === null || ends > now) && (types?.includes(type) ?? true);
      })
      .toSorted(([, left], [, right]) => rank(left) - rank(right));
  }

  /** @returns whether the fact moved the job */
  happens(job: RefJob, fact: RefFact): boolean {
    const costs = moveRefJob(job, fact, this.customer(job.customer).now);
    for (const { of, amount } of costs ?? []) this.cost(of, amount);
    return costs !== null;
  }

  cost(of: string, amount: bigint): void {
    this.book(`cogs ${of}`, `payable ${of.slice(0, of.indexOf(":"))}`, amount);
  }

  /** The hold ends: with a charge, or without. @returns the charge */
  settle(job: RefJob): RefCharge | null {
    if (job.state !== "settling") throw new Error(`a job that is ${job.state} is not settled`);
    job.state = "closed";
    job.revision += 1;
    job.closedIn = this.month(this.customer(job.customer).now);
    const { best, customer: index, hold } = job;
    const price = job.resolution === "failure" || best === null ? 0n : refPrice(job.price, best);
    if (price > 0n) {
      const { now } = this.customer(index);
      const [month, day, order] = [this.month(now), this.day(now), (this.#charges += 1)];
      job.charge = { amount: price, month, day, order, safeAt: now + job.type.disputable, credited: 0n, reduced: null };
    }
    if (job.slices === null) {
      this.book(`customer:authorized ${index}`, "memo:contra ", hold);
      this.book(`receivable:unbilled ${index}`, "revenue:accrued ", price);
      return job.charge;
    }
    this.book(`customer:held ${index}`, "revenue:accrued ", price);
    let due = price;
    for (const [at, slice] of job.slices) {
      const back = slice > due ? slice - due : 0n;
      due -= slice - back;
      const grant = this.customer(index).grants[at];
      if (grant !== undefined) grant.available += back;
      this.book(`customer:held ${index}`, prepaid(index, at), back);
    }
    return job.charge;
  }

  /** An answer that nobody waits for any more, or a correction of what was known: the difference is the operator's. */
  correctCost(job: RefJob, attemptId: string, cost: bigint, isLate: boolean): boolean {
    const attempt = job.attempts.get(attemptId);
    if (attempt === undefined || attempt.state === "held") return false;
    if (isLate ? attempt.state !== "presumed" : attempt.state === "known" && attempt.cost === cost) return false;
    this.cost("anthropic:small", cost - attempt.cost);
    attempt.cost = cost;
    attempt.state = "known";
    return true;
  }

  /** What nobody can dispute any more is earned, what is left of expired grants is kept: whoever looks for it, and whenever. */
  end(): void {
    for (const job of this.jobs) {
      const { charge } = job;
      const isDisputed = this.disputes.some((dispute) => dispute.job === job && dispute.isOpen);
      if (charge === null || isDisputed || charge.safeAt > this.customer(job.customer).now) continue;
      this.book("revenue:accrued ", "revenue:earned ", charge.amount);
    }
    for (const [index, { grants, now }] of this.customers.entries()) {
      for (const [at, grant] of grants.entries()) {
        if (grant.ends === null || grant.ends > now) continue;
        this.book(prepaid(index, at), "breakage ", grant.available);
        grant.available = 0n;
      }
    }
  }
}

export function prepaid(customer: number, grant: number): string {
  return `customer:prepaid ${customer}.${grant}`;
}

export function soldAt(pick: number): SoldType {
  return SOLD[pick % SOLD.length] ?? SOLD[0];
}
