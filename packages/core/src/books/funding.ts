/**
 * Whether a job's hold fits what its customer has: prepaid money in grants, or a spending limit that counts open holds.
 * Decided here, with the customer's account locked, so that no number of jobs at once can overdraw it; the constraints of
 * the database are the second line.
 */
import type { GrantId } from "../ids.ts";
import { add, max, min, type Nanos, subtract, sum, ZERO } from "../money.ts";
import type { Slice } from "./books.ts";

export type Billing = "on_account" | "prepaid";
export const LIMIT_PERIODS = ["day", "month"] as const;
export type LimitPeriod = (typeof LIMIT_PERIODS)[number];

/** Prepaid money that may be spent. */
export interface Grant {
  readonly id: GrantId;
  readonly available: Nanos;
  /** The lower, the earlier it is spent. */
  readonly priority: number;
  /** By the customer's clock, ms since the epoch; null: never. */
  readonly expiresAtMs: number | null;
  /** What it may be spent on; null: on everything. */
  readonly outcomeTypes: readonly string[] | null;
}

export interface SpendingLimit {
  readonly amount: Nanos;
  readonly period: LimitPeriod;
  /** What was used already when the limit was set. A limit below that refuses new jobs and breaks no accepted one. */
  readonly floor: Nanos;
}

/** What a customer has, while their account is locked. */
export interface FundingAccount {
  readonly billing: Billing;
  readonly limit: SpendingLimit | null;
  /** All open holds. */
  readonly held: Nanos;
  /** Charged within the limit's present period. */
  readonly spent: Nanos;
  readonly grants: readonly Grant[];
  /** The customer's clock, ms since the epoch. */
  readonly nowMs: number;
}

export interface FundingRequest {
  readonly outcomeType: string;
  /** The most that the job may cost the customer. */
  readonly amount: Nanos;
}

/** Why a job does not fit, with the numbers. */
export type Shortage =
  | { readonly because: "insufficient_prepaid"; readonly needed: Nanos; readonly available: Nanos }
  | {
      readonly because: "spending_limit";
      readonly needed: Nanos;
      readonly limit: Nanos;
      readonly period: LimitPeriod;
      readonly held: Nanos;
      readonly spent: Nanos;
    };

export type Funding =
  | {
      readonly kind: "funded";
      /** Null: on account. */
      readonly slices: readonly Slice[] | null;
      /** The account with this hold taken. */
      readonly account: FundingAccount;
    }
  | { readonly kind: "refused"; readonly shortage: Shortage };

/** Takes the hold from the account, or says what is missing. */
export function fund(account: FundingAccount, request: FundingRequest): Funding {
  const { amount: needed } = request;
  const { limit, held, spent } = account;
  if (limit !== null && add(add(held, spent), needed) > limit.amount) {
    const { amount, period } = limit;
    return { kind: "refused", shortage: { because: "spending_limit", needed, limit: amount, period, held, spent } };
  }
  const holding = { ...account, held: add(held, needed) };
  if (account.billing === "on_account") return { kind: "funded", slices: null, account: holding };
  const usable = spendable(account, request.outcomeType);
  const available = sum(usable.map((grant) => grant.available));
  if (available < needed) {
    return { kind: "refused", shortage: { because: "insufficient_prepaid", needed, available } };
  }
  const slices = burn(usable, needed);
  return { kind: "funded", slices, account: { ...holding, grants: less(account.grants, slices) } };
}

/** The grants that may pay for an outcome of this type now, in the order in which they are spent: by priority, then expiry, then id. */
export function spendable(account: Pick<FundingAccount, "grants" | "nowMs">, outcomeType: string): readonly Grant[] {
  const { grants, nowMs } = account;
  return grants
    .filter((grant) => grant.available > 0n && !hasExpired(grant, nowMs))
    .filter((grant) => grant.outcomeTypes === null || grant.outcomeTypes.includes(outcomeType))
    .toSorted(inBurnOrder);
}

export function hasExpired(grant: Pick<Grant, "expiresAtMs">, nowMs: number): boolean {
  return grant.expiresAtMs !== null && grant.expiresAtMs <= nowMs;
}

/** By priority, then by what expires first, then by what came in first. */
export function inBurnOrder(left: Grant, right: Grant): number {
  if (left.priority !== right.priority) return left.priority - right.priority;
  const [leftEnd, rightEnd] = [left.expiresAtMs ?? Infinity, right.expiresAtMs ?? Infinity];
  if (leftEnd !== rightEnd) return leftEnd - rightEnd;
  return left.id < right.id ? -1 : 1;
}

function burn(grants: readonly Grant[], needed: Nanos): readonly Slice[] {
  let missing = needed;
  return grants.flatMap(({ id: grantId, available }) => {
    const amount = min(available, missing);
    missing = subtract(missing, amount);
    return amount > 0n ? [{ grantId, amount }] : [];
  });
}

function less(grants: readonly Grant[], slices: readonly Slice[]): readonly Grant[] {
  return grants.map((grant) => {
    const taken = slices.find(({ grantId }) => grantId === grant.id)?.amount ?? ZERO;
    return { ...grant, available: subtract(grant.available, taken) };
  });
}

/** What the customer can still spend, as far as it is limited: what the API shows. Null: without limit. */
export function headroom(account: FundingAccount): Nanos | null {
  const { limit, held, spent } = account;
  return limit === null ? null : max(ZERO, subtract(limit.amount, add(held, spent)));
}
