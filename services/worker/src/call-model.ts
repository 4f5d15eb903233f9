import type { CallResult } from "@contingent/providers/provider";
import type { ClaimedAttempt } from "./claim-attempt.ts";

/** Makes the call, aborted at min(tier timeout, time to the deadline). The port's contract is that it never rejects. */
export async function callModel(attempt: ClaimedAttempt): Promise<CallResult> {
  return attempt.provider.call(attempt.request, AbortSignal.timeout(Math.ceil(attempt.started.timeoutMs)));
}
