import {
  getPriceRecommendation,
  MARGIN_DEFAULT,
  type PriceRecommendationBody,
} from "@contingent/contracts/http/price-recommendation";
import { nominalAmount } from "@contingent/core/economics/cohort";
import { isAttainable, type PricingGoal, recommendPrice } from "@contingent/core/economics/recommendation";
import { type Currency, type Nanos, parseMoney, ZERO } from "@contingent/core/money";
import { NONE, parseRatio, ratio, shown } from "@contingent/core/ratio";
import { readCohort, type VersionCohort } from "@contingent/ledger/cohort";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { money } from "../../jobs/render.ts";

const DEFAULT_MARGIN = parseRatio(MARGIN_DEFAULT) ?? NONE;

export const getPriceRecommendationRoute = route(getPriceRecommendation, async ({ pool }, { params, query }) => {
  const goal: PricingGoal = {
    margin: query.margin ?? DEFAULT_MARGIN,
    feeShare: query.fee_share ?? NONE,
    feeFixed: parseMoney(query.fee_fixed ?? "0") ?? ZERO,
  };
  if (!isAttainable(goal)) {
    throw new ApiError("invalid_field", "margin and fee_share must be less than 1 together: lower one of them.", {
      param: "margin",
    });
  }
  const { name, version } = params;
  const found = await readCohort(pool, { outcomeType: name, version, closedFromMs: query.since });
  if (found !== null) return { status: 200, body: render(found, goal) };
  const what = `version ${version} of the outcome type "${name}"`;
  throw new ApiError("outcome_type_not_found", `There is no ${what}. Check the name and the number.`, {
    param: "version",
  });
});

function render({ version, cohort, costP50, costP95 }: VersionCohort, goal: PricingGoal): PriceRecommendationBody {
  const { currency, terms } = version;
  const { jobs, success, partial, failed } = cohort;
  const recommended = recommendPrice(cohort, goal);
  const prices = recommended.status === "point_estimate" ? recommended : null;
  return {
    object: "price_recommendation",
    outcome_type: version.name,
    version: version.version,
    status: recommended.status,
    reason: recommended.status === "insufficient_data" ? recommended.reason : null,
    jobs,
    success,
    partial,
    failed,
    success_rate: jobs === 0 ? null : shown(ratio(BigInt(success), BigInt(jobs))),
    billable_outcomes: shown(cohort.billable),
    cost: money(cohort.cost, currency),
    cost_per_billable_outcome: optional(prices?.costPerBillable, currency),
    cost_per_job: { p50: optional(costP50, currency), p95: optional(costP95, currency) },
    list_price: optional(nominalAmount(terms.price), currency),
    floor_price: optional(prices?.floor, currency),
    target_price: optional(prices?.target, currency),
  };
}

function optional(amount: Nanos | null | undefined, currency: Currency): ReturnType<typeof money> | null {
  return amount === null || amount === undefined ? null : money(amount, currency);
}
