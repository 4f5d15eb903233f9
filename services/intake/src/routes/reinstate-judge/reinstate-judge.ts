import { reinstateJudge } from "@contingent/contracts/http/judges";
import { reinstateJudge as reinstate } from "@contingent/db/judges";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { renderJudge } from "../../judges/render.ts";

export const reinstateJudgeRoute = route(reinstateJudge, async ({ pool }, { caller, params: { id }, body }) => {
  const judge = await reinstate(pool, id, { by: caller.keyId, reason: body.reason });
  if (judge === null) throw new ApiError("judge_not_found", `There is no judge ${id}. List them: GET /v1/judges.`);
  if (judge === "not_suspended")
    throw new ApiError("judge_not_suspended", `${id} is not suspended: it judges, and nothing was changed.`);
  return { status: 200, body: renderJudge(judge) };
});
