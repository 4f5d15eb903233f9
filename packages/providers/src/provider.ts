/** What the rest of the system knows of a model provider: ask, count, and be told exactly what came of it. */
import type { Usage } from "@contingent/core/cost";
import type { JsonObject, JsonSchema } from "@contingent/core/json";

/** One call to a model. */
export interface ModelRequest {
  /** The exact id the provider bills by. */
  readonly model: string;
  readonly system: string;
  readonly user: string;
  /** The shape that the answer must have, or null for free text. */
  readonly outputSchema: JsonSchema | null;
  /** The answer is cut off after this many tokens. */
  readonly outputTokensMax: number;
}

/** What is left of one of the provider's budgets. */
export interface RateBudget {
  readonly limit: number;
  readonly remaining: number;
  /** When it is full again, ms since the epoch by the provider's clock. */
  readonly resetAtMs: number;
}

/** What the provider says of the account's rate limits; null: it said nothing of this one. */
export interface RateLimit {
  readonly requests: RateBudget | null;
  readonly tokens: RateBudget | null;
  readonly inputTokens: RateBudget | null;
  readonly outputTokens: RateBudget | null;
}

export interface Answered {
  readonly kind: "answered";
  readonly text: string;
  /** `end`: the model was done. `truncated`: it ran out of room. `refused`: it would not; this is billed like an answer. */
  readonly stop: "end" | "truncated" | "refused";
  readonly usage: Usage;
  /** The provider's own report, to be kept with the attempt. */
  readonly rawUsage: JsonObject;
  readonly responseId: string;
  readonly rateLimit: RateLimit | null;
}

export interface CallFailed {
  /**
   * `unavailable`: overloaded, broken, out of reach. `timeout`: aborted, or no answer in time. `rate_limited`: slow down.
   * `rejected`: the request or the account was refused, and asking again will not help.
   */
  readonly kind: "unavailable" | "timeout" | "rate_limited" | "rejected";
  /** False only when the provider certainly did no work. Otherwise the call's worst case counts as spent. */
  readonly mayHaveBeenBilled: boolean;
  /** How long the provider asks us to wait. Bounded. */
  readonly retryAfterMs: number | null;
  /** What happened and what to do about it, for the operator. Never the key, never a part of the prompt. */
  readonly message: string;
  /** What was reported before the call broke off. For information: the final figures can only be higher. */
  readonly usage: Usage | null;
}

export type CallResult = Answered | CallFailed;

export interface Provider {
  /** As in the rates: `anthropic`. */
  readonly name: string;
  /**
   * Asks the provider how many tokens the prompt has.
   * @throws CountError when there is no count, whatever the reason
   */
  countInputTokens(request: ModelRequest, signal: AbortSignal): Promise<number>;
  /** The prompt has at most this many tokens. Computed here, at once; usually several times the true count. */
  inputTokensAtMost(request: ModelRequest): number;
  /** Makes one call: no retries. Ends soon after the signal is aborted. Never rejects. */
  call(request: ModelRequest, signal: AbortSignal): Promise<CallResult>;
}

/** The provider could not count a prompt's tokens. The message says why and what to do, without key or prompt. */
export class CountError extends Error {
  override readonly name = "CountError";
  readonly failure: CallFailed;

  constructor(failure: CallFailed) {
    super(`The prompt's tokens could not be counted. ${failure.message}`);
    this.failure = failure;
  }
}
