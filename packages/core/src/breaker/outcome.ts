/** What a call says about its model: only the provider's own failures count against it. */
import type { CallFailure } from "../job/facts.ts";
import type { Outcome } from "./breaker.ts";

/** What came of a call. */
export interface CallEnd {
  readonly kind: "answered" | CallFailure;
  /** False only when the provider certainly did no work. */
  readonly mayHaveBeenBilled: boolean;
  /** Whether the call had less time than its tier gives, because the job's was over. */
  readonly cutShort: boolean;
}

/**
 * Whatever the answer says (a refusal, half an answer, nonsense that a validator will fail), the provider gave one. That
 * it asks us to slow down has its own remedy, the pause of the tier; that it refuses a request or our account is ours to
 * mend, and so is a call that ran out of the job's time or had none to begin with.
 */
export function outcomeOf({ kind, mayHaveBeenBilled, cutShort }: CallEnd): Outcome {
  switch (kind) {
    case "answered":
      return "answered";
    case "unavailable":
      return "failed";
    case "timeout":
      return cutShort || !mayHaveBeenBilled ? "unsaid" : "failed";
    case "rate_limited":
    case "rejected":
      return "unsaid";
  }
}
