/** Reconciliations as the API's JSON. One currency: a deployment keeps its books in one. */
import type { ReconciliationBody, ReconciliationSummaryBody } from "@contingent/contracts/http/reconciliations";
import { differenceOf, modelsOfOneSide, totalsOf } from "@contingent/core/books/reconciliation";
import type { ReconciliationId } from "@contingent/core/ids";
import { type Nanos, subtract } from "@contingent/core/money";
import type { Queryable } from "@contingent/db/pool";
import { findReconciliation, type ReconciliationView } from "@contingent/ledger/reconciliations";
import { ApiError } from "../http/api-error.ts";
import { isoTime, money } from "../jobs/render.ts";

export function renderSummary(view: ReconciliationView): ReconciliationSummaryBody {
  const { provider, from, until } = view.period;
  return {
    object: "reconciliation",
    id: view.id,
    provider,
    from,
    until,
    number: view.number,
    invoiced: usd(view.invoiced),
    booked: usd(view.booked),
    drift: usd(subtract(view.invoiced, view.booked)),
    posted: usd(view.posted),
    uploaded_at: isoTime(view.uploadedAtMs),
  };
}

/**
 * A reconciliation in full.
 * @throws ApiError reconciliation_not_found
 */
export async function readReconciliation(db: Queryable, id: ReconciliationId): Promise<ReconciliationBody> {
  const view = await findReconciliation(db, id);
  if (view === null) {
    throw new ApiError("reconciliation_not_found", `There is no reconciliation ${id}. Check the id.`, { param: "id" });
  }
  const { invoicedOnly, bookedOnly } = modelsOfOneSide(view.lines);
  return {
    ...renderSummary(view),
    estimated: usd(totalsOf(view.lines).estimated),
    lines: view.lines.map((line) => ({
      model: line.model,
      day: line.day,
      invoiced: line.invoiced === null ? null : usd(line.invoiced),
      booked: line.booked === null ? null : usd(line.booked),
      estimated: usd(line.estimated),
      difference: usd(differenceOf(line)),
    })),
    invoiced_only: [...invoicedOnly],
    booked_only: [...bookedOnly],
  };
}

function usd(amount: Nanos): { amount: string; currency: "USD" } {
  return money(amount, "USD");
}
