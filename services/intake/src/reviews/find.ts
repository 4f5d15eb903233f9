import type { InquiryId } from "@contingent/core/ids";
import { findReview, type ReviewInFull } from "@contingent/db/reviews";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";

/** The review as it stands. @throws ApiError review_not_found */
export async function reviewOf(
  { pool, payloads }: Pick<IntakeContext, "pool" | "payloads">,
  id: InquiryId,
): Promise<ReviewInFull> {
  const review = await findReview(pool, id, payloads);
  if (review === null)
    throw new ApiError("review_not_found", `There is no review ${id}. List them: GET /v1/reviews.`, { param: "id" });
  return review;
}
