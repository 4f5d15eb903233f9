import { getMargin, type MarginBody } from "@contingent/contracts/http/margin";
import { ratioOf, subtract } from "@contingent/core/money";
import { shown } from "@contingent/core/ratio";
import { type MarginFigures, type MarginLine, readMargin } from "@contingent/ledger/bookkeeping/margin";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { money } from "../../jobs/render.ts";

export const getMarginRoute = route(getMargin, async ({ pool }, { query }) => {
  const { from, until, customer_id: customerId, outcome_type: outcomeType } = query;
  if (from !== undefined && until !== undefined && from >= until) {
    throw new ApiError("invalid_field", "until must be a later day than from: it is not included.", { param: "until" });
  }
  const groupBy = query.group_by ?? (["outcome_type"] as const);
  const { lines, isMore, totals } = await readMargin(pool, { groupBy, from, until, customerId, outcomeType });
  const body: MarginBody = { object: "margin", lines: lines.map(renderLine), has_more: isMore, totals: render(totals) };
  return { status: 200, body };
});

function renderLine(line: MarginLine): MarginBody["lines"][number] {
  return {
    ...(line.day === undefined ? {} : { day: line.day }),
    ...(line.customerId === undefined ? {} : { customer_id: line.customerId }),
    ...(line.outcomeType === undefined ? {} : { outcome_type: line.outcomeType }),
    ...(line.version === undefined ? {} : { outcome_type_version: line.version }),
    ...(line.tier === undefined ? {} : { tier: line.tier }),
    ...(line.model === undefined ? {} : { model: line.model }),
    ...render(line),
  };
}

/** One currency: a deployment keeps its books in one. */
function render(figures: MarginFigures): MarginBody["totals"] {
  const { closed, billed, partial, failed, calls, revenue, credits, adjustments, cost, absorbed } = figures;
  const kept = subtract(subtract(revenue, credits), adjustments);
  const margin = subtract(kept, cost);
  return {
    jobs: closed,
    billed,
    partial,
    failed,
    calls,
    revenue: money(revenue, "USD"),
    credits: money(credits, "USD"),
    adjustments: money(adjustments, "USD"),
    cost: money(cost, "USD"),
    absorbed_cost: money(absorbed, "USD"),
    margin: money(margin, "USD"),
    margin_share: kept > 0n ? shown(ratioOf(margin, kept)) : null,
  };
}
