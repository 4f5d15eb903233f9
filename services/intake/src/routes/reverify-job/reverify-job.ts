import { reverifyJob } from "@contingent/contracts/http/operations";
import type { ReverificationBody } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import type { JobView } from "@contingent/db/job-views";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { type Reverification, reverify } from "../../jobs/reverify.ts";
import { named } from "../../receipts/payload.ts";

export const reverifyJobRoute = route(reverifyJob, async (context, { caller, params }) => {
  const view = await findJob(context, caller, params.id);
  const found = await reverify(context, params.id);
  if (found === null) throw noVerdict(view);
  return { status: 200, body: render(params.id, found) };
});

function render(job: JobId, found: Reverification): ReverificationBody {
  const { verdict, stands, because, recomputed, changedValidators, evidenceHash } = found;
  return {
    object: "reverification",
    job,
    verdict: { id: verdict.id, decision: verdict.decision, score: verdict.score },
    stands,
    because,
    recomputed:
      recomputed === null
        ? null
        : {
            decision: recomputed.decision,
            score: recomputed.score,
            findings: [...recomputed.findings],
            validators: [...recomputed.validators],
          },
    changed_validators: changedValidators.map(({ was, is }) => ({ was, is })),
    evidence_hash: {
      stored: named(evidenceHash.stored),
      recomputed: named(evidenceHash.recomputed),
      matches: evidenceHash.stored === evidenceHash.recomputed,
    },
  };
}

function noVerdict({ id, state, reason }: JobView): ApiError {
  const message =
    state === "closed"
      ? `${id} ended without a verdict (${reason ?? "unknown"}) and was not charged: there is nothing to verify again.`
      : `${id} is ${state} and has no verdict yet. Wait for one.`;
  return new ApiError("no_verdict", message, { param: "id" });
}
