/** A customer's months in tests: their clock, their terms, prepaid money and credit notes. Time is moved, never waited for. */
import type { CreditNoteId, CustomerId, GrantId, JobId } from "@contingent/core/ids";
import { nanos, ZERO } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { type Period, periodAfter, periodAt, statementIdOf } from "@contingent/core/statement/period";
import { customerTermsById, publishTerms } from "@contingent/db/customer-terms";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import type { Pool } from "@contingent/db/pool";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { granting } from "@contingent/testkit/customers";
import { checkBooks } from "@contingent/ledger/check-books";
import { linePages } from "@contingent/ledger/statement/lines";
import type { StatementLine } from "@contingent/core/statement/lines";
import { closeStatement } from "@contingent/ledger/statement/close";
import { findStatement, type StatementView, viewStatement } from "@contingent/ledger/statement/read";
import {
  answer,
  claim,
  driveTo,
  happens,
  judge,
  take,
  acceptedJob,
  partsOf,
  type JobOptions,
} from "@contingent/testkit/jobs";

const DAY_MS = 86_400_000;

/** Everything that any invariant says against the books. */
export async function brokenBooks(pool: Pool): Promise<readonly string[]> {
  const results = await checkBooks(pool, partsOf(pool).versions);
  return results.flatMap(({ number, violations }) => violations.map((what) => `${number}: ${what}`));
}

/** What core's fixture charges for an outcome. */
export const PRICE = 500n;
/** Dollars, in nanos. */
export const usd = (amount: number): bigint => BigInt(Math.round(amount * 1_000_000)) * 1_000n;

/** One customer. Periods are counted from the first whole month after now. */
export class Billed {
  readonly id: CustomerId = newId("cus");
  readonly pool: Pool;
  readonly first: Period = periodAfter(periodAt(Date.now()));

  private constructor(pool: Pool) {
    this.pool = pool;
  }

  /** On the second day of the first period, unless told otherwise. */
  static async open(pool: Pool, terms: Partial<CustomerTerms> | null = null): Promise<Billed> {
    const customer = new Billed(pool);
    await ensureCustomer(pool, { id: customer.id, name: "A customer" });
    await customer.moveTo(0);
    if (terms !== null) await customer.agree(terms);
    return customer;
  }

  period(n: number): Period {
    let period = this.first;
    for (let i = 0; i < n; i += 1) period = periodAfter(period);
    return period;
  }

  statementId(n: number): ReturnType<typeof statementIdOf> {
    return statementIdOf(this.id, this.period(n));
  }

  /** Sets the customer's clock to a day of the n-th period. */
  async moveTo(n: number, day = 2): Promise<void> {
    await this.setClock(this.period(n).startMs + (day - 1) * DAY_MS);
  }

  async setClock(atMs: number): Promise<void> {
    await this.pool.query({
      text: "UPDATE customer_account SET clock_offset = to_timestamp($2::float8 / 1000) - clock_timestamp() WHERE customer_id = $1",
      values: [this.id, atMs],
    });
  }

  async agree(terms: Partial<CustomerTerms>): Promise<void> {
    const all = {
      prices: {},
      outcomeTypes: {},
      discountShare: 0,
      discountFixed: ZERO,
      commitmentMinimum: ZERO,
      ...terms,
    };
    const definition = { nth: newId("req") };
    const published = await publishTerms(this.pool, this.id, { definition, terms: all, effectiveFromMs: null });
    if (published.kind !== "published") throw new Error(`the terms were not published: ${published.kind}`);
  }

  /** A job that is delivered and charged now, at this price. */
  async charged(price: bigint = PRICE, options: JobOptions = {}): Promise<JobId> {
    const terms = { price: { shape: "binary", amount: nanos(price) }, ...options.terms } as const;
    return await driveTo(this.pool, "closed", { ...options, terms, customerId: this.id });
  }

  async chargedTimes(count: number, price: bigint = PRICE): Promise<void> {
    for (let n = 0; n < count; n += 1) await this.charged(price);
  }

  /** A job that costs its customer nothing. */
  async failed(): Promise<JobId> {
    const id = await acceptedJob(this.pool, { customerId: this.id });
    await take(this.pool, id, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
    return id;
  }

  /** From now on jobs are paid for from prepaid money. */
  async prepay(amount: bigint): Promise<GrantId> {
    await this.pool.query("UPDATE customer_account SET billing = 'prepaid' WHERE customer_id = $1", [this.id]);
    return await granting(this.pool, this.id, { amount });
  }

  /** A credit note for a charge, dated now. */
  async credit(jobId: JobId, amount: bigint): Promise<CreditNoteId> {
    const note = { jobId, amount: nanos(amount), reason: "It was wrong.", ref: newId("req") };
    const issued = await issueCreditNote(this.pool, note);
    if (issued.kind !== "issued") throw new Error(`there is no credit note: ${issued.kind}`);
    return issued.id;
  }

  /** Closes the n-th period on the third day of the next one. @returns what became of it */
  async close(n: number): Promise<StatementView> {
    await this.moveTo(n + 1, 3);
    const begun = await closeStatement(this.pool, this.statementId(n));
    if (begun.kind !== "begun") throw new Error(`the period was not closed: ${begun.kind}`);
    return await this.statement(n);
  }

  async statement(n: number): Promise<StatementView> {
    const found = await findStatement(this.pool, this.statementId(n));
    if (found === null) throw new Error(`there is no statement ${this.statementId(n)}`);
    return await viewStatement(this.pool, customerTermsById(this.pool), found);
  }

  /** The lines of the n-th period; none where there is no statement. */
  async lines(n: number, linesPerPage?: number): Promise<readonly StatementLine[]> {
    const found = await findStatement(this.pool, this.statementId(n));
    if (found === null) return [];
    const lines: StatementLine[] = [];
    const reading = linesPerPage === undefined ? {} : { linesPerPage };
    const terms = customerTermsById(this.pool);
    for await (const page of linePages(this.pool, terms, found.lines, reading)) lines.push(...page);
    return lines;
  }

  /** What the books say on an account of this customer. */
  async balance(accountClass: string, of: string = this.id): Promise<bigint> {
    const { rows } = await this.pool.query<{ total: bigint }>({
      text: "SELECT coalesce(sum(amount_nanos), 0)::bigint AS total FROM posting WHERE account_class = $1 AND account_of = $2",
      values: [accountClass, of],
    });
    return rows[0]?.total ?? 0n;
  }

  /** The kinds and keys of what closing the n-th period has booked, with what it moved on the customer's debt. */
  async booked(n: number): Promise<readonly (readonly [string, string, bigint])[]> {
    const { rows } = await this.pool.query<{ kind: string; key: string; moved: bigint }>({
      text: `SELECT t.kind, t.key, coalesce(sum(p.amount_nanos) FILTER (WHERE account_class = 'receivable:unbilled'), 0)::bigint AS moved
               FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
              WHERE split_part(t.key, ':', 2) = $1 GROUP BY t.kind, t.key ORDER BY t.key`,
      values: [this.statementId(n)],
    });
    return rows.map(({ kind, key, moved }) => [kind, key.replace(`:${this.statementId(n)}`, ""), moved]);
  }
}
