import { listReviews } from "@contingent/contracts/http/reviews";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listOpenReviews } from "@contingent/db/reviews";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { kindAsked, renderReview } from "../../reviews/render.ts";

export const listReviewsRoute = route(listReviews, async ({ pool, payloads }, { query }) => {
  const { limit = PAGE_SIZE_DEFAULT, outcome_type: outcomeType } = query;
  const after = idCursor("inq", query.cursor);
  const open = { outcomeType, kind: kindAsked(query.kind), after, limit: limit + 1 };
  const reviews = await listOpenReviews(pool, open, payloads);
  return { status: 200, body: pageOf(reviews, limit, renderReview, ({ id }) => id) };
});
