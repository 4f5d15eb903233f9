/** Customers, their accounts, their money, their terms and their events as the API's JSON. */
import type { CustomerEventBody } from "@contingent/contracts/http/customer-events";
import type { PublishedTermsBody } from "@contingent/contracts/http/customer-terms";
import type { BalanceBody, CustomerBody } from "@contingent/contracts/http/customers";
import type { GrantBody } from "@contingent/contracts/http/grants";
import { balance } from "@contingent/core/books/alerts";
import { hasExpired, headroom, inBurnOrder } from "@contingent/core/books/funding";
import type { CustomerTermsId } from "@contingent/core/ids";
import type { LockedAccount } from "@contingent/db/account-lock";
import type { CustomerEvent } from "@contingent/db/customer-events";
import type { PublishedTerms } from "@contingent/db/customer-terms";
import type { CustomerView } from "@contingent/db/customers";
import type { GrantView } from "@contingent/db/grants";
import { isoTime, money } from "../jobs/render.ts";

/** One currency: a deployment keeps its books in one. */
const CURRENCY = "USD";

export function renderCustomer({
  id,
  name,
  createdAtMs,
  clockOffsetMs,
  retentionDays,
  account,
}: CustomerView): CustomerBody {
  const { alertShares, alertBelow, termsId, nowMs } = account;
  return {
    id,
    object: "customer",
    name,
    ...renderAccount(account),
    alerts: {
      limit_shares: [...alertShares],
      prepaid_below: alertBelow === null ? null : money(alertBelow, CURRENCY),
    },
    terms: termsId,
    payload_retention_days: retentionDays,
    clock: { now: isoTime(nowMs), offset_ms: Math.round(clockOffsetMs) },
    created_at: isoTime(createdAtMs),
  };
}

export function renderBalance({ id, account }: CustomerView): BalanceBody {
  return { object: "balance", customer_id: id, ...renderAccount(account), now: isoTime(account.nowMs) };
}

type AccountBody = Omit<BalanceBody, "object" | "customer_id" | "now">;

function renderAccount(account: LockedAccount): AccountBody {
  const { billing, limit, openJobs, openJobsMax, held, spent, periodStartMs } = account;
  const left = headroom(account);
  return {
    billing,
    limit: limit === null ? null : { amount: money(limit.amount, CURRENCY), period: limit.period },
    open_jobs: openJobs,
    limits: { open_jobs_max: openJobsMax },
    held: money(held, CURRENCY),
    spent: money(spent, CURRENCY),
    period_start: isoTime(periodStartMs),
    headroom: left === null ? null : money(left, CURRENCY),
    prepaid: billing === "prepaid" ? renderPrepaid(account) : null,
  };
}

function renderPrepaid(account: LockedAccount): NonNullable<AccountBody["prepaid"]> {
  const usable = account.grants.filter((grant) => !hasExpired(grant, account.nowMs)).toSorted(inBurnOrder);
  return {
    available: money(balance(account), CURRENCY),
    grants: usable.map(({ id, available, priority, expiresAtMs, outcomeTypes }) => ({
      id,
      available: money(available, CURRENCY),
      priority,
      expires_at: expiresAtMs === null ? null : isoTime(expiresAtMs),
      outcome_types: outcomeTypes === null ? null : [...outcomeTypes],
    })),
  };
}

export function renderGrant(grant: GrantView): GrantBody {
  const { id, customerId, kind, ref, amount, available, priority, expiresAtMs, outcomeTypes, createdAtMs } = grant;
  return {
    id,
    object: "grant",
    customer_id: customerId,
    kind,
    ref,
    amount: money(amount, CURRENCY),
    available: money(available, CURRENCY),
    priority,
    expires_at: expiresAtMs === null ? null : isoTime(expiresAtMs),
    outcome_types: outcomeTypes === null ? null : [...outcomeTypes],
    created_at: isoTime(createdAtMs),
  };
}

export function renderTerms(terms: PublishedTerms, inForce: CustomerTermsId | null): PublishedTermsBody {
  const { id, customerId, version, definition, effectiveFromMs, createdAtMs } = terms;
  return {
    id,
    object: "customer_terms",
    customer_id: customerId,
    version,
    definition,
    effective_from: isoTime(effectiveFromMs),
    in_force: id === inForce,
    created_at: isoTime(createdAtMs),
  };
}

export function renderCustomerEvent({ id, customerId, type, data, atMs }: CustomerEvent): CustomerEventBody {
  return { id, object: "customer_event", customer_id: customerId, type, data, at: isoTime(atMs) };
}
