/** Customers for integration tests: prepaid ones with grants, ones with a spending limit, and their test clocks. */
import type { Billing, LimitPeriod } from "@contingent/core/books/funding";
import type { CustomerId, GrantId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { type LockedAccount, readAccounts } from "@contingent/db/account-lock";
import { createCustomer } from "@contingent/db/customer-billing";
import { type ClockMove, moveClock } from "@contingent/db/customer-clock";
import { listGrants } from "@contingent/db/grants";
import { newId } from "@contingent/db/ids";
import type { Pool } from "@contingent/db/pool";
import { bringIn } from "@contingent/ledger/bring-in";

/** Prepaid money; amounts in nanos, as the terms of core's fixture have them. */
export interface TestGrant {
  readonly amount: bigint;
  readonly kind?: "top_up" | "promotion";
  readonly ref?: string;
  readonly priority?: number;
  readonly expiresAtMs?: number | null;
  readonly outcomeTypes?: readonly string[] | null;
}

export interface CustomerOptions {
  readonly billing?: Billing;
  readonly limit?: { readonly amount: bigint; readonly period: LimitPeriod };
  readonly alertShares?: readonly number[];
  readonly alertBelow?: bigint;
  readonly openJobsMax?: number;
  /** Make the customer prepaid, unless `billing` is given. */
  readonly grants?: readonly TestGrant[];
}

export interface TestCustomer {
  readonly id: CustomerId;
  /** Of the grants that were asked for, in their order. */
  readonly grants: readonly GrantId[];
}

const GRANTS_MAX = 1_000;

/** A new customer that pays like this. On account and without limits unless said otherwise. */
export async function customerWith(pool: Pool, options: CustomerOptions = {}): Promise<TestCustomer> {
  const { limit, alertShares = [0.8, 1], alertBelow, openJobsMax = null, grants = [] } = options;
  const id = newId("cus");
  await createCustomer(pool, {
    id,
    name: "A customer of a test",
    billing: options.billing ?? (grants.length > 0 ? "prepaid" : "on_account"),
    limit: limit === undefined ? null : { amount: nanos(limit.amount), period: limit.period },
    alertShares,
    alertBelow: alertBelow === undefined ? null : nanos(alertBelow),
    openJobsMax,
  });
  const granted: GrantId[] = [];
  for (const grant of grants) granted.push(await granting(pool, id, grant));
  return { id, grants: granted };
}

/** Prepaid money for a customer who is billed that way. */
export async function granting(pool: Pool, customerId: CustomerId, grant: TestGrant): Promise<GrantId> {
  const brought = await bringIn(pool, {
    customerId,
    kind: grant.kind ?? "top_up",
    ref: grant.ref ?? newId("req"),
    amount: nanos(grant.amount),
    priority: grant.priority ?? 100,
    expiresAtMs: grant.expiresAtMs ?? null,
    outcomeTypes: grant.outcomeTypes ?? null,
  });
  if (brought.kind !== "granted") throw new Error(`the money for ${customerId} did not come in: ${brought.kind}`);
  return brought.grant.id;
}

/** The account as it stands. */
export async function accountOf(pool: Pool, customerId: CustomerId): Promise<LockedAccount> {
  const account = (await readAccounts(pool, [customerId])).get(customerId);
  if (account === undefined) throw new Error(`there is no ${customerId}`);
  return account;
}

/** What is available of the customer's grants, in the order in which they came in, also of those with nothing left. */
export async function availableOf(pool: Pool, customerId: CustomerId): Promise<readonly bigint[]> {
  const newestFirst = await listGrants(pool, customerId, { before: null, limit: GRANTS_MAX });
  return newestFirst.map(({ available }) => available).toReversed();
}

/** Moves the customer's clock forward. @returns the customer's time afterwards, ms since the epoch */
export async function clockMoved(pool: Pool, customerId: CustomerId, move: ClockMove): Promise<number> {
  const moved = await moveClock(pool, customerId, move);
  if (moved.kind !== "moved") throw new Error(`the clock of ${customerId} did not move: ${moved.kind}`);
  return moved.nowMs;
}
