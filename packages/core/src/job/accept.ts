import type { JobId } from "../ids.ts";
import { ZERO } from "../money.ts";
import type { Terms } from "../outcome-type.ts";
import type { Job } from "./job.ts";
import { PATIENCE_MS } from "./moves.ts";

/** A new job as intake accepts it: revision 1, queued for the first tier of its cascade. Its turn is at once unless given. */
export function newJob(id: JobId, terms: Terms, nowMs: number, turnAtMs = nowMs): Job {
  const deadlineAtMs = nowMs + terms.deadlineMs;
  return {
    id,
    revision: 1,
    state: "queued",
    resolution: null,
    reason: null,
    terms,
    deadlineAtMs,
    turnAtMs,
    readyAtMs: nowMs,
    wakeAtMs: Math.min(nowMs + PATIENCE_MS, deadlineAtMs),
    attempts: 0,
    cost: { known: ZERO, presumed: ZERO, held: ZERO, overrun: ZERO },
    progress: {
      step: 0,
      modelIndex: 0,
      outputTokensMax: terms.outputTokens.start,
      tried: terms.cascade.map(() => 0),
      outageFromStep: null,
      outages: 0,
      refusals: 0,
      strikes: 0,
      reworkedAfter: null,
      current: null,
      inquiry: null,
      best: null,
    },
  };
}
