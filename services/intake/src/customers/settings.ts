import type { BillingDefinition } from "@contingent/contracts/http/customers";
import type { BillingSettings } from "@contingent/db/customer-billing";
import { nanosOf } from "../outcome-types/resolve-parts.ts";

/** How a customer pays, as it was asked for. */
export function billingSettings({ billing, limit, alerts, limits }: BillingDefinition): BillingSettings {
  return {
    billing,
    limit: limit === null ? null : { amount: nanosOf(limit.amount), period: limit.period },
    alertShares: alerts.limit_shares,
    openJobsMax: limits.open_jobs_max,
    alertBelow: alerts.prepaid_below === null ? null : nanosOf(alerts.prepaid_below),
  };
}
