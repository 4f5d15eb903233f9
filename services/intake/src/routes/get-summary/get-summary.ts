import { getSummary } from "@contingent/contracts/http/operations";
import type { SummaryBody } from "@contingent/contracts/http/summary";
import { subtract, sum } from "@contingent/core/money";
import { summarize, type SummaryLine } from "@contingent/db/summary";
import { route } from "../../http/route.ts";
import { money } from "../../jobs/render.ts";

type Figures = Omit<SummaryLine, "outcomeType">;

export const getSummaryRoute = route(getSummary, async (context, { query }) => {
  const lines = await summarize(context.pool, {
    customerId: query.customer_id,
    createdFromMs: query.created_from,
    createdUntilMs: query.created_until,
  });
  const body: SummaryBody = {
    object: "summary",
    outcome_types: lines.map((line) => ({ outcome_type: line.outcomeType, ...render(line) })),
    totals: render(totalOf(lines)),
  };
  return { status: 200, body };
});

function totalOf(lines: readonly SummaryLine[]): Figures {
  const count = (pick: (line: SummaryLine) => number): number => lines.reduce((total, line) => total + pick(line), 0);
  return {
    jobs: count((line) => line.jobs),
    open: count((line) => line.open),
    success: count((line) => line.success),
    partial: count((line) => line.partial),
    failed: count((line) => line.failed),
    attempts: count((line) => line.attempts),
    escalations: count((line) => line.escalations),
    billed: sum(lines.map((line) => line.billed)),
    credited: sum(lines.map((line) => line.credited)),
    modelCost: sum(lines.map((line) => line.modelCost)),
    absorbedCost: sum(lines.map((line) => line.absorbedCost)),
  };
}

/** One currency: a deployment keeps its books in one. */
function render(figures: Figures): SummaryBody["totals"] {
  const { jobs, open, success, partial, failed, attempts, escalations, billed, credited, modelCost, absorbedCost } =
    figures;
  return {
    jobs,
    open,
    success,
    partial,
    failed,
    attempts,
    escalations,
    billed: money(billed, "USD"),
    credited: money(credited, "USD"),
    model_cost: money(modelCost, "USD"),
    absorbed_cost: money(absorbedCost, "USD"),
    margin: money(subtract(subtract(billed, credited), modelCost), "USD"),
  };
}
