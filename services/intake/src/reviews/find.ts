import type { InquiryId } from "@contingent/core/ids";
import { findReview, type ReviewInFull } from "@contingent/db/reviews";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";

/** The review as it stands. @throws ApiError review_not_found */
export async function reviewOf({ pool }: Pick<IntakeContext, "pool">, id: InquiryId): Promise<ReviewInFull> {
  const review = await findReview(pool, id);
  if (review === null)
    throw new ApiError("review_not_found", `There is no review ${id}. List them: GET /v1/reviews.`, { param: "id" });
  return review;
}
