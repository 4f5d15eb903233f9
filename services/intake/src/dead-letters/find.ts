import type { JobId } from "@contingent/core/ids";
import { type DeadLetterInFull, findDeadLetter } from "@contingent/db/dead-letters";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";

/** The dead letter of a job. @throws ApiError dead_letter_not_found */
export async function deadLetterOf(
  { pool, payloads }: Pick<IntakeContext, "pool" | "payloads">,
  jobId: JobId,
): Promise<DeadLetterInFull> {
  const letter = await findDeadLetter(pool, jobId, payloads);
  if (letter !== null) return letter;
  throw new ApiError("dead_letter_not_found", `${jobId} left no dead letter. List them: GET /v1/dead-letters.`, {
    param: "id",
  });
}

/** What its job was is not known any more. */
export function textsErased(jobId: JobId): ApiError {
  const message = `The texts of ${jobId} were kept for as long as was agreed, and are gone: it cannot be done once more. Dismiss it.`;
  return new ApiError("payload_erased", message, { param: "id" });
}

/** It has ended, and not as was asked for now. */
export function endedOtherwise({ jobId, redrivenAs, dismissedReason }: DeadLetterInFull): ApiError {
  const how = redrivenAs === null ? `was dismissed: ${dismissedReason ?? ""}` : `was redriven as ${redrivenAs}`;
  return new ApiError("dead_letter_ended", `The dead letter of ${jobId} ${how.replace(/\.$/, "")}.`, { param: "id" });
}
