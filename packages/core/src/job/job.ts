/**
 * A job: one request for one outcome, pinned to the terms it was accepted under. This is all that the next step of a
 * job can depend on; inputs and outputs stay in the database.
 *
 *                submit           claim              answered            pass, automatic
 *    (intake) ────────► queued ────────► attempting ──────────► validating ──────────────► settling ──► closed
 *                       ▲ ▲ ▲                │                      │  │ pass, window          ▲
 *                       │ │ └────────────────┘ failed, lost         │  └──► awaiting_acceptance ┤ accepted · rejected · silence
 *                       │ └───── retry · escalate · fall back ──────┘                │         │
 *                       └──────────────── rejected, rework ──────────────────────────┘         │
 *                  exhausted · cost cap · deadline · canceled · refused ───────────────────────┘
 */
import type { AttemptId, InquiryId, JobId, VerdictId } from "../ids.ts";
import { add, type Nanos, subtract, ZERO } from "../money.ts";
import type { CascadeStep, Terms } from "../outcome-type.ts";

export const JOB_STATES = ["queued", "attempting", "validating", "awaiting_acceptance", "settling", "closed"] as const;
export type JobState = (typeof JOB_STATES)[number];

export const RESOLUTIONS = ["success", "partial", "failure"] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** Why a job ended as it did. The first three go with success and partial, the others with failure. */
export const REASONS = [
  "verified",
  "accepted",
  "accepted_by_silence",
  "exhausted",
  "cost_cap",
  "deadline",
  "canceled",
  "rejected",
  "lapsed",
  "refused",
  "provider_outage",
  "validator_error",
] as const;
export type Reason = (typeof REASONS)[number];

/** What has been spent on a job, by how sure we are of it. `known + presumed + held − overrun ≤ cost cap`, always. */
export interface JobCost {
  /** Reported by the provider, and what verdicts and inquiries cost. */
  readonly known: Nanos;
  /** Worst cases of calls and inquiries whose answer was lost: the provider has no idempotency, so they count as spent. */
  readonly presumed: Nanos;
  /** Worst case of the call in flight, or of the open inquiry. */
  readonly held: Nanos;
  /** By how much reported usage, or a verdict, exceeded what was reserved for it. Not zero is an alarm. */
  readonly overrun: Nanos;
}

/** The attempt that the job is waiting for (attempting) or whose answer is being judged (validating). */
export interface CurrentAttempt {
  readonly attemptId: AttemptId;
  readonly provider: string;
  readonly model: string;
  readonly reserve: Nanos;
}

/** Who is asked about an answer. Models and services are called and answer in seconds; people take their time. */
export type Asked = "model" | "service" | "person";

/**
 * Why somebody is asked: a leaf of the validator tree is a question, or the validators keep breaking and a person is to
 * decide on the whole answer instead.
 */
export type InquiryKind = "leaf" | "validator_error";

/** Somebody is being asked about the answer. One at a time: each is paid from the same cap. */
export interface OpenInquiry {
  readonly inquiryId: InquiryId;
  readonly kind: InquiryKind;
  /** Which leaf asks, as a JSON pointer into the tree; `""` is the root, and the whole answer. */
  readonly leaf: string;
  /** `name@version`. */
  readonly validator: string;
  readonly asked: Asked;
  /** The most that it may cost. */
  readonly reserve: Nanos;
  /** Whom that is owed to, and for what of theirs. Null: it costs nothing. */
  readonly payee: { readonly provider: string; readonly name: string } | null;
}

/** The best verified outcome so far: what is delivered if nothing better comes. */
export interface OutcomeInHand {
  readonly attemptId: AttemptId;
  readonly verdictId: VerdictId;
  readonly decision: "pass" | "partial";
  readonly score: number;
  /** The number that the verdict recorded for a price that depends on one. */
  readonly value: Nanos | null;
}

/** Where a job stands in its cascade. */
export interface Progress {
  /** Index into the cascade. */
  readonly step: number;
  /** Index into the step's models: 0 unless a fallback stands in. */
  readonly modelIndex: number;
  /** Output limit of the next attempt, tokens. */
  readonly outputTokensMax: number;
  /** Attempts per step that the model answered, refused or was too slow for. Unavailability is not an attempt. */
  readonly tried: readonly number[];
  /** The step from which fallbacks began to leave their tier; null while there is no outage. */
  readonly outageFromStep: number | null;
  /** Consecutive times that every model of the cascade was unavailable. */
  readonly outages: number;
  readonly refusals: number;
  /** Consecutive times that a worker or validator vanished or broke while it held the job. */
  readonly strikes: number;
  /** Attempts that had been dispatched when the customer last sent an outcome back for rework; null: never. */
  readonly reworkedAfter: number | null;
  readonly current: CurrentAttempt | null;
  /** What the verdict on the current attempt waits for. */
  readonly inquiry: OpenInquiry | null;
  readonly best: OutcomeInHand | null;
}

export interface Job {
  readonly id: JobId;
  /** The fence: number of the last transition, from 1. A message for another revision is stale. */
  readonly revision: number;
  readonly state: JobState;
  readonly resolution: Resolution | null;
  readonly reason: Reason | null;
  readonly terms: Terms;
  /** Each rework has a new one: the old one is usually over when a customer rejects. */
  readonly deadlineAtMs: number;
  /** Where it stands among the jobs that want an attempt, for ever (turn.ts). By the database's clock, not the customer's. */
  readonly turnAtMs: number;
  /** The message for this state is of no use before this instant (backing off, acceptance window). */
  readonly readyAtMs: number;
  /** When somebody should look at the job again if nothing happened: the end of a lease, a window, a deadline, or patience. */
  readonly wakeAtMs: number;
  /** Dispatched attempts; the next one has this number plus one. */
  readonly attempts: number;
  readonly cost: JobCost;
  readonly progress: Progress;
}

/** The step the job stands on. */
export function currentStep(job: Job): CascadeStep {
  return job.terms.cascade[job.progress.step] ?? job.terms.cascade[0];
}

/** The model that the next attempt uses. */
export function currentModel(job: Job): string {
  const step = currentStep(job);
  return step.models[job.progress.modelIndex] ?? step.models[0];
}

/** Whether the next attempt comes back to a model that the job could not use, or to a call that was lost. */
export function comesBack({ progress }: Job): boolean {
  return progress.outages > 0 || progress.strikes > 0;
}

/** What a verdict itself may cost under the job's terms, apart from inquiries. */
export function verdictCostMax(job: Job): Nanos {
  return job.terms.validation?.cost ?? ZERO;
}

/** What judging one answer may cost under the job's terms: the verdict, and whoever has to be asked for it. */
export function verdictReserve(job: Job): Nanos {
  return add(verdictCostMax(job), job.terms.inquiryReserve);
}

/**
 * What may still be spent on the next attempt: an answer is judged, so the verdict on it must fit as well, with its inquiries.
 * That room needs no hold of its own, because nothing else is started for the job before the verdict is there.
 */
export function attemptBudgetLeft(job: Job): Nanos {
  return subtract(budgetLeft(job), verdictReserve(job));
}

/** What may still be spent on the job. An overrun is spent like everything else; below zero there is nothing left. */
export function budgetLeft(job: Job): Nanos {
  const { known, presumed, held } = job.cost;
  return subtract(job.terms.costCap, add(add(known, presumed), held));
}
