import { redriveDeadLetter } from "@contingent/contracts/http/dead-letters";
import { deadLetterOf } from "../../dead-letters/find.ts";
import { redrive } from "../../dead-letters/redrive.ts";
import { renderDeadLetter } from "../../dead-letters/render.ts";
import { route } from "../../http/route.ts";
import { unrecordedTraceparent } from "../../jobs/trace.ts";

export const redriveDeadLetterRoute = route(redriveDeadLetter, async (context, call) => {
  const { params, caller, traceparent } = call;
  const by = { keyId: caller.keyId, traceparent: traceparent ?? unrecordedTraceparent() };
  const { as, before } = await redrive(context, params.id, by);
  const body = renderDeadLetter(await deadLetterOf(context, params.id));
  return before ? { status: 200, body } : { status: 201, body, headers: { Location: `/v1/jobs/${as}` } };
});
