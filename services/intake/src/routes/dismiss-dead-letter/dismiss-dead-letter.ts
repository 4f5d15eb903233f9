import { dismissDeadLetter } from "@contingent/contracts/http/dead-letters";
import { dismissDeadLetter as dismiss } from "@contingent/db/dead-letters";
import { deadLetterOf, endedOtherwise } from "../../dead-letters/find.ts";
import { renderDeadLetter } from "../../dead-letters/render.ts";
import { route } from "../../http/route.ts";

export const dismissDeadLetterRoute = route(dismissDeadLetter, async (context, { params, caller, body }) => {
  await dismiss(context.pool, params.id, { reason: body.reason, by: caller.keyId });
  const letter = await deadLetterOf(context, params.id);
  if (letter.dismissedReason !== body.reason) throw endedOtherwise(letter);
  return { status: 200, body: renderDeadLetter(letter) };
});
