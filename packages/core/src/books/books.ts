/**
 * The books: double entry, Dr positive, Cr negative; each transaction sums to zero. One builder per kind of transaction
 * that a job goes through; what may be booked at all is the table in accounts.ts, of which the database keeps a copy and
 * refuses everything else.
 */
import type { AttemptId, CustomerId, GrantId, InquiryId, JobId, VerdictId } from "../ids.ts";
import { min, negate, type Nanos, subtract, sum, ZERO } from "../money.ts";
import { type Account, PERMITTED_FLOWS, type TransactionKind } from "./accounts.ts";

export interface Posting {
  readonly account: Account;
  /** Dr positive, Cr negative; never zero. */
  readonly amount: Nanos;
}

export interface Transaction {
  readonly kind: TransactionKind;
  /** Idempotency key: a second transaction with the same key is the same transaction. */
  readonly key: string;
  /** The job that it is about; null for money that no single job moves. */
  readonly jobId: JobId | null;
  /** Whose money it moves, and by whose clock it is dated; null for what the operator spends. */
  readonly customerId: CustomerId | null;
  readonly postings: readonly Posting[];
}

/** A transaction that does not balance, or books something that its kind may not. Always a defect in our own code. */
export class BooksError extends Error {
  override readonly name = "BooksError";
}

/** A part of a hold that one grant pays for. */
export interface Slice {
  readonly grantId: GrantId;
  readonly amount: Nanos;
}

/** The money reserved for a job: from the customer's grants, or against what they may owe. */
export interface Hold {
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly amount: Nanos;
  /** In the order in which they are spent; null: on account. */
  readonly slices: readonly Slice[] | null;
}

const CONTRA: Account = { class: "memo:contra", of: "" };
const REVENUE: Account = { class: "revenue:accrued", of: "" };

export function prepaid(grantId: GrantId): Account {
  return { class: "customer:prepaid", of: grantId };
}

export function transfer(debit: Account, credit: Account, amount: Nanos): readonly Posting[] {
  return [
    { account: debit, amount },
    { account: credit, amount: negate(amount) },
  ];
}

/** Reserves the most that a job may cost its customer. */
export function hold(held: Hold): Transaction {
  const { jobId, customerId, amount, slices } = held;
  const postings =
    slices === null
      ? transfer(CONTRA, { class: "customer:authorized", of: customerId }, amount)
      : [
          ...slicesOf(held).map((slice) => ({ account: prepaid(slice.grantId), amount: slice.amount })),
          { account: { class: "customer:held", of: customerId } as const, amount: negate(amount) },
        ];
  return checked({ kind: "hold", key: `hold:${jobId}`, jobId, customerId, postings });
}

/** Ends the hold and charges the price, which is more than zero and at most the hold. Prepaid money that is left goes back to the grants it came from. */
export function capture(held: Hold, price: Nanos): Transaction {
  const { jobId, customerId, amount } = held;
  if (price <= 0n || price > amount) {
    throw new BooksError(`a charge of ${price} does not fit a hold of ${amount} (${jobId})`);
  }
  const postings =
    held.slices === null
      ? [
          ...transfer({ class: "customer:authorized", of: customerId }, CONTRA, amount),
          ...transfer({ class: "receivable:unbilled", of: customerId }, REVENUE, price),
        ]
      : [
          { account: { class: "customer:held", of: customerId } as const, amount },
          { account: REVENUE, amount: negate(price) },
          ...givenBack(returnedSlices(held, price)),
        ];
  return checked({ kind: "capture", key: `charge:${jobId}`, jobId, customerId, postings });
}

/** Ends the hold and charges nothing: each grant gets back exactly what it gave. One key for all causes: a job is voided once. */
export function release(held: Hold): Transaction {
  const { jobId, customerId, amount } = held;
  const postings =
    held.slices === null
      ? transfer({ class: "customer:authorized", of: customerId }, CONTRA, amount)
      : [
          { account: { class: "customer:held", of: customerId } as const, amount },
          ...givenBack(returnedSlices(held, ZERO)),
        ];
  return checked({ kind: "void", key: `void:${jobId}`, jobId, customerId, postings });
}

/**
 * What goes back to which grant when the price is paid from a hold: the slices are spent in their order, and what is left
 * of each returns to the grant that it came from. Empty for a hold on account.
 */
export function returnedSlices(held: Hold, price: Nanos): readonly Slice[] {
  let due = price;
  return slicesOf(held).flatMap(({ grantId, amount }) => {
    const spent = min(amount, due);
    due = subtract(due, spent);
    return spent === amount ? [] : [{ grantId, amount: subtract(amount, spent) }];
  });
}

function slicesOf(held: Hold): readonly Slice[] {
  const slices = held.slices ?? [];
  if (held.slices !== null && sum(slices.map((slice) => slice.amount)) !== held.amount) {
    throw new BooksError(`the slices of the hold for ${held.jobId} do not add up to ${held.amount}`);
  }
  return slices;
}

function givenBack(slices: readonly Slice[]): readonly Posting[] {
  return slices.map(({ grantId, amount }) => ({ account: prepaid(grantId), amount: negate(amount) }));
}

/**
 * How a cost is known: taken at its worst case because the answer was lost, reported by the provider, or corrected later,
 * for the n-th time.
 */
export type CostBasis = "estimated" | "reported" | `corrected-${number}`;

/** What one attempt cost, to whom it is owed and for which model. Amounts already booked for it are given as `booked`. */
export interface AttemptCost {
  readonly jobId: JobId;
  readonly attemptId: AttemptId;
  readonly provider: string;
  readonly model: string;
  readonly basis: CostBasis;
  readonly cost: Nanos;
  readonly booked: Nanos;
}

/** Books the cost of an attempt, or the difference to what was booked before; null when there is nothing to book. */
export function attemptCost(cost: AttemptCost): Transaction | null {
  const amount = subtract(cost.cost, cost.booked);
  return amount === 0n ? null : owed(cost, cost.model, `cost:${cost.attemptId}:${cost.basis}`, amount);
}

/** What an inquiry cost, whom it is owed to and for what of theirs. Amounts already booked for it are given as `booked`. */
export interface InquiryCost {
  readonly jobId: JobId;
  readonly inquiryId: InquiryId;
  readonly provider: string;
  readonly name: string;
  readonly basis: "estimated" | "reported";
  readonly cost: Nanos;
  readonly booked: Nanos;
}

/** Books the cost of an inquiry as that of an attempt: it is a call, too. */
export function inquiryCost(cost: InquiryCost): Transaction | null {
  const amount = subtract(cost.cost, cost.booked);
  return amount === 0n ? null : owed(cost, cost.name, `cost:${cost.inquiryId}:${cost.basis}`, amount);
}

/** What one verdict cost, whom it is owed to and for what of theirs. */
export interface VerdictCost {
  readonly jobId: JobId;
  readonly verdictId: VerdictId;
  readonly provider: string;
  readonly name: string;
  readonly cost: Nanos;
}

/** Books the cost of a verdict, which is more than nothing. It is known when the verdict is, so it is never corrected. */
export function verdictCost(cost: VerdictCost): Transaction {
  const { verdictId, name } = cost;
  if (cost.cost <= 0n) throw new BooksError(`a verdict that cost ${cost.cost} is not booked (${verdictId})`);
  return owed(cost, name, `cost:${verdictId}:reported`, cost.cost);
}

function owed(
  { jobId, provider }: { readonly jobId: JobId; readonly provider: string },
  name: string,
  key: string,
  amount: Nanos,
): Transaction {
  const cogs: Account = { class: "cogs", of: `${provider}:${name}` };
  const payable: Account = { class: "payable", of: provider };
  return checked({ kind: "cost", key, jobId, customerId: null, postings: transfer(cogs, payable, amount) });
}

/**
 * Returns the transaction if it balances and moves only what its kind may move.
 * @throws BooksError otherwise; the database checks the same again at commit.
 */
export function checked(transaction: Transaction): Transaction {
  const { kind, key, postings } = transaction;
  if (postings.length < 2 || sum(postings.map((p) => p.amount)) !== 0n) {
    throw new BooksError(`transaction ${key} does not sum to zero`);
  }
  for (const { account, amount } of postings) {
    const direction = amount > 0n ? "debit" : "credit";
    const permitted = PERMITTED_FLOWS.some(
      (f) => f.kind === kind && f.accountClass === account.class && f.direction === direction,
    );
    if (amount === 0n || !permitted) throw new BooksError(`a ${kind} may not ${direction} ${account.class} (${key})`);
  }
  return transaction;
}
