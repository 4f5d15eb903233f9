import type { Congestion } from "@contingent/core/job/admission";
import { ApiError } from "../http/api-error.ts";

/** How soon an open job may have closed, seconds. Nobody knows: it is often enough to ask. */
const OPEN_JOBS_RETRY_AFTER_S = 10;
/** Nobody is sent away for longer: what waits may go faster than it did. */
const RETRY_AFTER_MAX_S = 600;

/** Why a job cannot be accepted just now, and when it may be worth asking again. */
export function congestionError(congestion: Congestion): ApiError {
  switch (congestion.because) {
    case "open_jobs": {
      const message = `${congestion.open} jobs are open, and ${congestion.max} may be at once. Wait until jobs close, or have the limit raised.`;
      return new ApiError("too_many_open_jobs", message, retryAfter(OPEN_JOBS_RETRY_AFTER_S));
    }
    case "deadline": {
      const { tier, waitMs, lateByMs } = congestion;
      const wait = Number.isFinite(waitMs)
        ? `it would wait about ${seconds(waitMs)} s for its first attempt`
        : "none of them is being taken up";
      const message = `So many jobs wait for the tier ${tier} that this one would miss its deadline: ${wait}. Send it again later.`;
      return new ApiError("deadline_out_of_reach", message, retryAfter(seconds(lateByMs)));
    }
  }
}

function retryAfter(afterS: number): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { "Retry-After": String(Math.min(afterS, RETRY_AFTER_MAX_S)) } };
}

function seconds(durationMs: number): number {
  return Math.ceil(durationMs / 1_000);
}
