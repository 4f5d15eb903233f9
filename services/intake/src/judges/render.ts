import type { JudgeBody } from "@contingent/contracts/http/judges";
import { shareLetThrough } from "@contingent/core/quality/canaries";
import type { JudgeView } from "@contingent/db/judges";
import { isoTime } from "../jobs/render.ts";
import { shown } from "../quality/render.ts";

export function renderJudge(judge: JudgeView): JudgeBody {
  const { id, outcomeType, model, validator, asked, passed, last } = judge;
  const rate = shareLetThrough(judge);
  const suspended = last?.event === "suspended" ? last : null;
  const reinstated = last?.event === "reinstated" ? last : null;
  return {
    id,
    object: "judge",
    outcome_type: outcomeType,
    model,
    validator,
    state: suspended === null ? "judging" : "suspended",
    canaries: {
      asked,
      passed,
      rate: rate === null ? null : shown(rate.point),
      low: rate === null ? null : shown(rate.low),
      high: rate === null ? null : shown(rate.high),
      limit: judge.shareMax,
      last_at: isoTime(judge.lastCanaryAtMs),
    },
    suspended_at: suspended === null ? null : isoTime(suspended.atMs),
    suspended_because: suspended?.reason ?? null,
    reinstated_at: reinstated === null ? null : isoTime(reinstated.atMs),
    reinstated_because: reinstated?.reason ?? null,
  };
}
