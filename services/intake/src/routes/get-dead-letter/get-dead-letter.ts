import { getDeadLetter } from "@contingent/contracts/http/dead-letters";
import { deadLetterOf } from "../../dead-letters/find.ts";
import { renderDeadLetterInFull } from "../../dead-letters/render.ts";
import { route } from "../../http/route.ts";

export const getDeadLetterRoute = route(getDeadLetter, async (context, { params: { id } }) => ({
  status: 200,
  body: renderDeadLetterInFull(await deadLetterOf(context, id)),
}));
