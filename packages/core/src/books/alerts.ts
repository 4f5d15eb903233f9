/** Thresholds that taking money from an account passes: what its customer and the operator should be told. */
import { add, formatMoney, type Nanos, share, sum } from "../money.ts";
import { type FundingAccount, hasExpired } from "./funding.ts";

export interface AlertThresholds {
  /** Shares of the spending limit, each from 0 to 1. */
  readonly alertShares: readonly number[];
  /** The prepaid balance below which to tell; null: never. */
  readonly alertBelow: Nanos | null;
  /** Beginning of the limit's present period, ms since the epoch. */
  readonly periodStartMs: number;
}

/** Something to tell, once per subject. Amounts are decimal numbers in text. */
export interface Alert {
  readonly type: "spending_limit.threshold_reached" | "prepaid.balance_low";
  readonly subject: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/** What was passed between two states of an account: each threshold of the limit once per period, a low balance once per newest grant. */
export function alertsBetween(before: FundingAccount & AlertThresholds, after: FundingAccount): readonly Alert[] {
  return [...limitAlerts(before, after), ...balanceAlerts(before, after)];
}

function limitAlerts(before: FundingAccount & AlertThresholds, after: FundingAccount): readonly Alert[] {
  const { limit } = before;
  if (limit === null) return [];
  const [used, uses] = [add(before.held, before.spent), add(after.held, after.spent)];
  return before.alertShares
    .filter((threshold) => used < share(limit.amount, threshold) && share(limit.amount, threshold) <= uses)
    .map((threshold) => ({
      type: "spending_limit.threshold_reached",
      subject: `${before.periodStartMs}:${threshold}`,
      data: { share: threshold, limit: formatMoney(limit.amount), period: limit.period, used: formatMoney(uses) },
    }));
}

function balanceAlerts(before: FundingAccount & AlertThresholds, after: FundingAccount): readonly Alert[] {
  const { alertBelow } = before;
  if (before.billing !== "prepaid" || alertBelow === null) return [];
  if (balance(before) < alertBelow || balance(after) >= alertBelow) return [];
  const newest = before.grants.reduce((latest, { id }) => (id > latest ? id : latest), "");
  const data = { balance: formatMoney(balance(after)), below: formatMoney(alertBelow) };
  return [{ type: "prepaid.balance_low", subject: `${newest}:${formatMoney(alertBelow)}`, data }];
}

/** What may be spent on something, whatever it is. */
export function balance({ grants, nowMs }: Pick<FundingAccount, "grants" | "nowMs">): Nanos {
  return sum(grants.filter((grant) => !hasExpired(grant, nowMs)).map((grant) => grant.available));
}
