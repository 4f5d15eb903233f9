import { LEASE_GRACE_MS } from "@contingent/core/job/moves";
import type { CallResult } from "@contingent/providers/provider";
import type { ClaimedAttempt } from "./claim-attempt.ts";

/**
 * Makes the call, aborted at min(tier timeout, time to the deadline). Writing the claim down may have taken its time, while
 * the database was away: the call must end before the lease does. The port's contract is that it never rejects.
 */
export async function callModel({ provider, request, job, nowMs }: ClaimedAttempt): Promise<CallResult> {
  const timeoutMs = Math.max(0, job.wakeAtMs - LEASE_GRACE_MS - nowMs());
  return await provider.call(request, AbortSignal.timeout(Math.ceil(timeoutMs)));
}
