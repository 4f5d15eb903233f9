import { labelJob } from "@contingent/contracts/http/quality";
import { labelAsOperator } from "@contingent/ledger/quality/operator-label";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";

export const labelJobRoute = route(labelJob, async (context, { caller, params: { id }, body }) => {
  const { correct, reason } = body;
  await findJob(context, caller, id);
  const label = await labelAsOperator(context.pool, { jobId: id, correct, reason, givenBy: caller.keyId });
  if (label === null) {
    throw new ApiError("no_verdict", `No answer of ${id} has been judged: there is nothing to label.`, { param: "id" });
  }
  const { verdictId: verdict, decision, score, isNew } = label;
  return { status: isNew ? 201 : 200, body: { object: "label", job: id, verdict, decision, score, correct, reason } };
});
