/** The chart of accounts, and the table of every movement between them that may be booked at all. */

/**
 * Classes of accounts, and what `of` names within a class: a grant for prepaid money; a customer for what they hold, have
 * authorized or owe; `provider:model` for cost of goods sold; a provider for what is owed to it and for drift; nothing for
 * the operator's single accounts.
 */
export const ACCOUNT_CLASSES = [
  "cash",
  "promo_issued",
  "customer:prepaid",
  "customer:held",
  "customer:authorized",
  "memo:contra",
  "receivable:unbilled",
  "receivable:billed",
  "revenue:accrued",
  "revenue:disputed",
  "revenue:earned",
  "revenue:commitment",
  "contra_revenue:credit",
  "contra_revenue:adjustment",
  "breakage",
  "rounding",
  "cogs",
  "cogs:drift",
  "payable",
] as const;
export type AccountClass = (typeof ACCOUNT_CLASSES)[number];

/** An account: its class, and whose or of what it is (`""` for the operator's single accounts). */
export interface Account {
  readonly class: AccountClass;
  /** `cus_…`, `gra_…`, `anthropic:claude-haiku-5-5`, `anthropic` or `""`. */
  readonly of: string;
}

export const TRANSACTION_KINDS = [
  "top_up",
  "grant",
  "hold",
  "cost",
  "capture",
  "void",
  "dispute",
  "credit",
  "earn",
  "expiry",
  "adjustment",
  "commitment",
  "rounding",
  "statement",
  "payment",
  "reconciliation",
] as const;
export type TransactionKind = (typeof TRANSACTION_KINDS)[number];

export interface Flow {
  readonly kind: TransactionKind;
  readonly accountClass: AccountClass;
  readonly direction: "debit" | "credit";
}

type Directions = Readonly<{ debit: readonly AccountClass[]; credit: readonly AccountClass[] }>;

/** What each kind may debit and credit. Where a class stands on both sides, a correction may go either way. */
const MOVEMENTS: Readonly<Record<TransactionKind, Directions>> = {
  top_up: { debit: ["cash"], credit: ["customer:prepaid"] },
  grant: { debit: ["promo_issued"], credit: ["customer:prepaid"] },
  hold: { debit: ["memo:contra", "customer:prepaid"], credit: ["customer:authorized", "customer:held"] },
  cost: { debit: ["cogs", "payable"], credit: ["cogs", "payable"] },
  capture: {
    debit: ["customer:authorized", "customer:held", "receivable:unbilled"],
    credit: ["memo:contra", "customer:prepaid", "revenue:accrued"],
  },
  void: { debit: ["customer:authorized", "customer:held"], credit: ["memo:contra", "customer:prepaid"] },
  dispute: { debit: ["revenue:accrued", "revenue:disputed"], credit: ["revenue:accrued", "revenue:disputed"] },
  credit: { debit: ["contra_revenue:credit"], credit: ["customer:prepaid", "receivable:unbilled"] },
  earn: { debit: ["revenue:accrued"], credit: ["revenue:earned"] },
  expiry: { debit: ["customer:prepaid"], credit: ["breakage"] },
  adjustment: { debit: ["contra_revenue:adjustment"], credit: ["customer:prepaid", "receivable:unbilled"] },
  commitment: { debit: ["receivable:unbilled"], credit: ["revenue:commitment"] },
  rounding: { debit: ["receivable:unbilled", "rounding"], credit: ["receivable:unbilled", "rounding"] },
  // A statement whose credits exceed its charges moves a debt of the operator: the other way round.
  statement: {
    debit: ["receivable:billed", "receivable:unbilled"],
    credit: ["receivable:billed", "receivable:unbilled"],
  },
  payment: { debit: ["cash"], credit: ["receivable:billed"] },
  reconciliation: { debit: ["cogs:drift", "payable"], credit: ["cogs:drift", "payable"] },
};

/** Every permitted movement, one by one: what the table `permitted_flow` holds. */
export const PERMITTED_FLOWS: readonly Flow[] = TRANSACTION_KINDS.flatMap((kind) =>
  (["debit", "credit"] as const).flatMap((direction) =>
    MOVEMENTS[kind][direction].map((accountClass) => ({ kind, accountClass, direction })),
  ),
);
