import { getAttemptCost } from "@contingent/contracts/http/attempt-cost";
import { readAttemptCost } from "../../attempts/cost.ts";
import { route } from "../../http/route.ts";

export const getAttemptCostRoute = route(getAttemptCost, async ({ pool }, { params }) => ({
  status: 200,
  body: await readAttemptCost(pool, params.id),
}));
