import { getReview } from "@contingent/contracts/http/reviews";
import { route } from "../../http/route.ts";
import { evidenceFor } from "../../reviews/evidence.ts";
import { reviewOf } from "../../reviews/find.ts";
import { renderReviewInFull } from "../../reviews/render.ts";

export const getReviewRoute = route(getReview, async (context, { params: { id } }) => {
  const review = await reviewOf(context, id);
  return { status: 200, body: renderReviewInFull(review, await evidenceFor(context, review)) };
});
