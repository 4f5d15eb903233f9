/**
 * The books: double entry, Dr positive, Cr negative; each transaction sums to zero. This file is the table of what may be
 * booked at all: one builder per kind of transaction, and the flows that each kind is allowed. The database keeps a copy
 * of the table and refuses everything else.
 */
import type { AttemptId, CustomerId, JobId } from "../ids.ts";
import { negate, type Nanos, subtract, sum } from "../money.ts";

export const ACCOUNT_CLASSES = [
  "memo:contra",
  "customer:authorized",
  "receivable:unbilled",
  "revenue:accrued",
  "cogs",
  "payable",
] as const;
export type AccountClass = (typeof ACCOUNT_CLASSES)[number];

/** An account: its class, and whose or of what it is (`""` for the operator's single accounts). */
export interface Account {
  readonly class: AccountClass;
  /** `cus_…`, `anthropic:claude-haiku-5-5`, `anthropic` or `""`. */
  readonly of: string;
}

export interface Posting {
  readonly account: Account;
  /** Dr positive, Cr negative; never zero. */
  readonly amount: Nanos;
}

export const TRANSACTION_KINDS = ["hold", "cost", "capture", "void"] as const;
export type TransactionKind = (typeof TRANSACTION_KINDS)[number];

export interface Transaction {
  readonly kind: TransactionKind;
  /** Idempotency key: a second transaction with the same key is the same transaction. */
  readonly key: string;
  readonly jobId: JobId;
  readonly postings: readonly Posting[];
}

export interface Flow {
  readonly kind: TransactionKind;
  readonly accountClass: AccountClass;
  readonly direction: "debit" | "credit";
}

/** Every permitted movement. A correction of an estimated cost may go either way; nothing else may. */
export const PERMITTED_FLOWS: readonly Flow[] = [
  { kind: "hold", accountClass: "memo:contra", direction: "debit" },
  { kind: "hold", accountClass: "customer:authorized", direction: "credit" },
  { kind: "cost", accountClass: "cogs", direction: "debit" },
  { kind: "cost", accountClass: "payable", direction: "credit" },
  { kind: "cost", accountClass: "cogs", direction: "credit" },
  { kind: "cost", accountClass: "payable", direction: "debit" },
  { kind: "capture", accountClass: "customer:authorized", direction: "debit" },
  { kind: "capture", accountClass: "memo:contra", direction: "credit" },
  { kind: "capture", accountClass: "receivable:unbilled", direction: "debit" },
  { kind: "capture", accountClass: "revenue:accrued", direction: "credit" },
  { kind: "void", accountClass: "customer:authorized", direction: "debit" },
  { kind: "void", accountClass: "memo:contra", direction: "credit" },
];

/** A transaction that does not balance, or books something that its kind may not. Always a defect in our own code. */
export class BooksError extends Error {
  override readonly name = "BooksError";
}

const CONTRA: Account = { class: "memo:contra", of: "" };
const REVENUE: Account = { class: "revenue:accrued", of: "" };

function authorized(customer: CustomerId): Account {
  return { class: "customer:authorized", of: customer };
}

function transfer(debit: Account, credit: Account, amount: Nanos): readonly Posting[] {
  return [
    { account: debit, amount },
    { account: credit, amount: negate(amount) },
  ];
}

/** Reserves, on account, the most that a job may cost its customer. */
export function holdOnAccount(jobId: JobId, customer: CustomerId, amount: Nanos): Transaction {
  return checked({
    kind: "hold",
    key: `hold:${jobId}`,
    jobId,
    postings: transfer(CONTRA, authorized(customer), amount),
  });
}

/** Ends the hold and charges the price, which is more than zero and at most the hold. */
export function captureOnAccount(jobId: JobId, customer: CustomerId, held: Nanos, price: Nanos): Transaction {
  if (price <= 0n || price > held)
    throw new BooksError(`a charge of ${price} does not fit a hold of ${held} (${jobId})`);
  const postings = [
    ...transfer(authorized(customer), CONTRA, held),
    ...transfer({ class: "receivable:unbilled", of: customer }, REVENUE, price),
  ];
  return checked({ kind: "capture", key: `charge:${jobId}`, jobId, postings });
}

/** Ends the hold and charges nothing. One key for all causes: a job is voided once. */
export function voidOnAccount(jobId: JobId, customer: CustomerId, held: Nanos): Transaction {
  return checked({ kind: "void", key: `void:${jobId}`, jobId, postings: transfer(authorized(customer), CONTRA, held) });
}

/** How sure a cost is: taken at its worst case because the answer was lost, or reported by the provider. */
export type CostBasis = "estimated" | "reported";

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
  if (amount === 0n) return null;
  const key = `cost:${cost.attemptId}:${cost.basis}`;
  const cogs: Account = { class: "cogs", of: `${cost.provider}:${cost.model}` };
  const payable: Account = { class: "payable", of: cost.provider };
  return checked({ kind: "cost", key, jobId: cost.jobId, postings: transfer(cogs, payable, amount) });
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
