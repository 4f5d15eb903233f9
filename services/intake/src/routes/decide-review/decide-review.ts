import { decideReview } from "@contingent/contracts/http/reviews";
import { route } from "../../http/route.ts";
import { decide } from "../../reviews/decide.ts";
import { reviewOf } from "../../reviews/find.ts";
import { renderReview } from "../../reviews/render.ts";

export const decideReviewRoute = route(decideReview, async (context, { caller, params: { id }, body }) => {
  await decide(context, await reviewOf(context, id), body, caller.keyId);
  return { status: 200, body: renderReview(await reviewOf(context, id)) };
});
