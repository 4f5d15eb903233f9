/** What can happen to a job, and what a decision about it says to do. Plain data on both sides. */
import type { Rate } from "../cost.ts";
import type { AttemptId, InquiryId, VerdictId } from "../ids.ts";
import type { Nanos } from "../money.ts";
import type { Decision } from "../verdict.ts";
import type { Asked, InquiryKind, Job, OpenInquiry } from "./job.ts";

/** How a call to a provider can fail. `rejected`: the request or the account was refused, so this model cannot be used now. */
export type CallFailure = "unavailable" | "timeout" | "rate_limited" | "rejected";

export type Fact =
  /** A worker wants to start an attempt. */
  | {
      readonly type: "claim";
      readonly attemptId: AttemptId;
      /** The prompt's size. `exact` false: a cheap upper bound, good enough while it fits the cap. */
      readonly inputTokens: number;
      readonly exact: boolean;
      /** The rate of each model of the cascade at this instant; a missing model has no known price. */
      readonly rates: ReadonlyMap<string, Rate>;
      /** Models that are known to be unavailable, so that none of them is called. */
      readonly away: ReadonlySet<string>;
      /** Too many calls come back to this model already: this one has to wait. */
      readonly mustWait: boolean;
    }
  /** The model answered. */
  | {
      readonly type: "answered";
      readonly attemptId: AttemptId;
      readonly cost: Nanos;
      readonly stop: "end" | "truncated" | "refused";
    }
  /** The call failed, or its answer was lost on the way. */
  | {
      readonly type: "call_failed";
      readonly attemptId: AttemptId;
      readonly failure: CallFailure;
      /** The provider may charge for it all the same: then its worst case counts as spent. */
      readonly mayHaveBeenBilled: boolean;
      readonly retryAfterMs: number | null;
    }
  /** The validator reached a verdict on the answer of an attempt. */
  | {
      readonly type: "judged";
      readonly attemptId: AttemptId;
      readonly verdictId: VerdictId;
      readonly decision: Decision;
      readonly score: number;
      /** The number that the answer carries for its price; null when there is none. */
      readonly value: Nanos | null;
      /** What reaching the verdict cost; nothing under terms that do not say whom it would be owed to. */
      readonly cost: Nanos;
    }
  /** The validator itself broke. It never counts against the model and never bills. */
  | {
      readonly type: "validator_broke";
      readonly attemptId: AttemptId;
      /** Identity of the review that the job is put before, should it come to that. */
      readonly reviewId: InquiryId;
    }
  /** The process that judged died over it, or was given up. Before it is judged again: it may have been the answer's doing. */
  | { readonly type: "validator_lost"; readonly attemptId: AttemptId; readonly reviewId: InquiryId }
  /** Before the verdict somebody has to be asked about the answer. */
  | {
      readonly type: "inquired";
      readonly attemptId: AttemptId;
      readonly inquiry: OpenInquiry;
      /** How long an answer may take. */
      readonly durationMs: number;
    }
  /** Somebody has to be asked who is being asked by as many as may at once: nothing is opened, and the answer waits. */
  | {
      readonly type: "put_off";
      readonly attemptId: AttemptId;
      /** The least that it waits; spread up to twice as long. */
      readonly delayMs: number;
    }
  /** Whoever was asked answered, or was silent where silence is an answer. */
  | {
      readonly type: "replied";
      readonly attemptId: AttemptId;
      readonly inquiryId: InquiryId;
      readonly outcome: "replied" | "silence";
      readonly cost: Nanos;
    }
  /** Nobody answered, or the answer was lost or is of no use: that says nothing about the outcome. */
  | {
      readonly type: "unanswered";
      readonly attemptId: AttemptId;
      readonly inquiryId: InquiryId;
      /** Null: unknown, so the reserve counts as spent. */
      readonly cost: Nanos | null;
      /** Identity of the review that the job is put before, should it come to that. */
      readonly reviewId: InquiryId;
    }
  | { readonly type: "cancel" }
  /** The customer took or refused a verified outcome within its acceptance window. */
  | { readonly type: "accepted" }
  | { readonly type: "rejected" }
  /** The job's `wakeAt` has passed: a lease, a window or the deadline may be over. */
  | { readonly type: "woke" }
  /** The settlement is booked. */
  | { readonly type: "settled" };

export type FactType = Fact["type"];

/** What a decision may look at besides the job and the fact. */
export interface Circumstances {
  /** The database's clock, ms since the epoch. */
  readonly nowMs: number;
  /** Uniform in [0, 1): spreads retry delays. */
  readonly random: number;
}

/** How an attempt ended. */
export type AttemptOutcome = "answered" | "truncated" | "refused" | CallFailure | "lost" | "canceled";

/** How an inquiry ended. `dropped`: the job did not wait for the answer any more. */
export type InquiryOutcome = "replied" | "silence" | "broke" | "dropped";

/** What the books know of the cost of an attempt or an inquiry: reserved, reported, taken at its worst case, or certainly nothing. */
export type CostState = "held" | "known" | "presumed" | "released";

export type Effect =
  /** Write the attempt down with its worst case before the call is made. */
  | {
      readonly type: "start_attempt";
      readonly attemptId: AttemptId;
      readonly number: number;
      readonly tier: string;
      readonly provider: string;
      readonly model: string;
      readonly outputTokensMax: number;
      readonly reserve: Nanos;
      /** Abort the call after this long. */
      readonly timeoutMs: number;
    }
  /** Record how the attempt ended, and book its cost. */
  | {
      readonly type: "end_attempt";
      readonly attemptId: AttemptId;
      readonly provider: string;
      readonly model: string;
      readonly outcome: AttemptOutcome;
      readonly costState: Exclude<CostState, "held">;
      readonly cost: Nanos;
    }
  /** Book what the verdict cost. */
  | {
      readonly type: "pay_verdict";
      readonly verdictId: VerdictId;
      readonly provider: string;
      readonly name: string;
      readonly cost: Nanos;
      /** What was left free for it. */
      readonly reserve: Nanos;
    }
  /** Write the inquiry down with the most it may cost before anybody is asked. */
  | {
      readonly type: "open_inquiry";
      readonly inquiryId: InquiryId;
      readonly attemptId: AttemptId;
      readonly kind: InquiryKind;
      readonly leaf: string;
      readonly validator: string;
      readonly asked: Asked;
      readonly payee: OpenInquiry["payee"];
      readonly reserve: Nanos;
      /** Nobody is waited for after this instant, ms since the epoch. */
      readonly dueAtMs: number;
    }
  /** Record how the inquiry ended, and book its cost. */
  | {
      readonly type: "end_inquiry";
      readonly inquiryId: InquiryId;
      readonly payee: OpenInquiry["payee"];
      readonly outcome: InquiryOutcome;
      readonly costState: Exclude<CostState, "held">;
      readonly cost: Nanos;
    }
  /** The provider asked us to slow down: let the whole tier's queue rest. */
  | { readonly type: "pause_tier"; readonly tier: string; readonly durationMs: number };

/** Past-tense events, one per transition; what customers can watch. They carry no cost. */
export type JobEventType =
  | "job.accepted"
  | "attempt.started"
  | "attempt.answered"
  | "inquiry.opened"
  | "inquiry.answered"
  | "job.retried"
  | "job.escalated"
  | "job.fell_back"
  | "job.rerouted"
  | "job.waited"
  | "job.delivered"
  | "job.reopened"
  | "job.resolved"
  | "job.closed";

export interface JobEvent {
  readonly type: JobEventType;
  /** Small facts for people: tier, model, attempt number, cause. */
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

/** Why a fact changed nothing. */
export type IgnoredBecause =
  /** The fact belongs to a state that the job has left, or to another attempt. */
  | "stale"
  /** An answer or a verdict that the job no longer waits for: its cost is booked, what it says is dropped. */
  | "late_answer"
  /** The claim came before the job's back-off was over. */
  | "not_yet"
  /** The wake-up found nothing overdue: publish the job's message again. */
  | "still_waiting";

export type Step =
  | { readonly kind: "moved"; readonly next: Job; readonly event: JobEvent; readonly effects: readonly Effect[] }
  | { readonly kind: "ignored"; readonly because: IgnoredBecause }
  /** The upper bound of the prompt does not fit the cap as it is: count its tokens and claim again. */
  | { readonly kind: "count_tokens" };
