/**
 * The moves that decisions are made of: each builds the job's next version for one kind of step. Leaves of `decide`;
 * none of them looks at a fact.
 */
import type { VerdictId } from "../ids.ts";
import { add, max, type Nanos, subtract, ZERO } from "../money.ts";
import type { RetryPolicy } from "../outcome-type.ts";
import type { AttemptOutcome, Circumstances, Effect, JobEvent, JobEventType, Step } from "./facts.ts";
import {
  currentModel,
  currentStep,
  type Job,
  type JobCost,
  type OutcomeInHand,
  type Progress,
  type Reason,
  verdictCostMax,
} from "./job.ts";

/** How long a message may be missing before the sweeper publishes it again. */
export const PATIENCE_MS = 15_000;
/** How much longer than the call's own timeout a worker may hold a job: time to write the answer down. */
export const LEASE_GRACE_MS = 5_000;
/** A job that makes its holder vanish or break this often in a row is taken away from it. */
export const STRIKES_MAX = 3;
/** Between two rounds through a cascade where nothing could be called, whatever the terms say about retries. */
export const OUTAGE_WAIT_MIN_MS = 250;
/** A second refusal is the answer. */
export const REFUSALS_MAX = 2;

type Changes = Partial<Omit<Job, "id" | "revision" | "terms" | "progress">> & { readonly progress?: Partial<Progress> };

/** The transition to the job's next revision. */
export function move(job: Job, changes: Changes, event: JobEvent, effects: readonly Effect[] = []): Step {
  const next: Job = {
    ...job,
    ...changes,
    revision: job.revision + 1,
    progress: { ...job.progress, ...changes.progress },
  };
  return { kind: "moved", next, event, effects };
}

export function event(type: JobEventType, data: JobEvent["data"] = {}): JobEvent {
  return { type, data };
}

/** When the sweeper should look at a job whose message is due at an instant: after some patience, or at the deadline. */
export function patienceUntil(job: Job, dueAtMs: number): number {
  return Math.min(dueAtMs + PATIENCE_MS, job.deadlineAtMs);
}

/** Queues the job for an attempt at a place in its cascade. */
export function queueAt(
  job: Job,
  place: { readonly step: number; readonly modelIndex: number },
  delayMs: number,
  type: JobEventType,
  cause: string,
  now: Circumstances,
): Step {
  const readyAtMs = Math.min(now.nowMs + delayMs, job.deadlineAtMs);
  const moved: Job = { ...job, progress: { ...job.progress, ...place } };
  return move(
    job,
    {
      state: "queued",
      readyAtMs,
      wakeAtMs: patienceUntil(job, readyAtMs),
      progress: { ...place, current: null },
    },
    event(type, { cause, tier: currentStep(moved).tier, model: currentModel(moved), delay_ms: delayMs }),
  );
}

/** After an answer that was not good enough: the same tier again while it has attempts left, else the next one, else the end. */
export function retryOrEscalate(job: Job, cause: string, now: Circumstances): Step {
  const { step, modelIndex, tried } = job.progress;
  const triedHere = tried[step] ?? 0;
  if (hasAttemptsLeft(job) && triedHere < currentStep(job).attemptsMax) {
    const delayMs = backoffMs(currentStep(job).retry, triedHere, now.random);
    return queueAt(job, { step, modelIndex }, delayMs, "job.retried", cause, now);
  }
  return escalate(job, cause, "exhausted", now);
}

/**
 * Back to work on an outcome that the customer rejected: in the same tier while it has attempts left, else in the next
 * one that has; without any the job ends as rejected. The work has a whole deadline again, and no other money than what
 * the cap has left. Nothing is in hand any more: a partial outcome from before would be one more that the customer has
 * not asked for, judged by the validator that has just been contradicted.
 */
export function reopen(job: Job, now: Circumstances): Step {
  const here = job.progress.step;
  const roomHere = (job.progress.tried[here] ?? 0) < currentStep(job).attemptsMax;
  const step = roomHere ? here : openStepAfter(job, here);
  if (step === null || !hasAttemptsLeft(job)) return stop(job, "rejected", now);
  const reopened: Job = {
    ...job,
    resolution: null,
    // Whole milliseconds, like the first one, so that the API can show it exactly.
    deadlineAtMs: Math.floor(now.nowMs) + job.terms.deadlineMs,
    // What went wrong in the work before says nothing about this one.
    progress: {
      ...job.progress,
      best: null,
      outages: 0,
      outageFromStep: null,
      strikes: 0,
      reworkedAfter: job.attempts,
    },
  };
  return queueAt(reopened, { step, modelIndex: 0 }, 0, "job.reopened", "rejected", now);
}

/** On to the next step, if the job and the step have attempts left; else the job ends for the given reason. */
export function escalate(job: Job, cause: string, otherwise: Reason, now: Circumstances): Step {
  const step = hasAttemptsLeft(job) ? openStepAfter(job, job.progress.step) : null;
  if (step === null) return stop(job, otherwise, now);
  return queueAt(job, { step, modelIndex: 0 }, 0, "job.escalated", cause, now);
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The model is unavailable, or has no known price: its tier's next model; none left, the next tier; none left, wait and
 * begin again where the outage began. The deadline ends the waiting. Not an attempt.
 * @param away other models that are known to be unavailable, so that they are passed over
 */
export function fallBack(job: Job, cause: string, now: Circumstances, away = NOBODY): Step {
  const { step, modelIndex } = job.progress;
  const hasNext = modelIndex + 1 < currentStep(job).models.length;
  const next = hasNext ? step : openStepAfter(job, step);
  if (next === null) return waitOut(job, cause, now);
  const place = { step: next, modelIndex: hasNext ? modelIndex + 1 : 0 };
  const outageFromStep = hasNext ? job.progress.outageFromStep : outageStart(job);
  const there: Job = { ...job, progress: { ...job.progress, ...place, outageFromStep } };
  return away.has(currentModel(there))
    ? fallBack(there, cause, now, away)
    : queueAt(there, place, 0, "job.fell_back", cause, now);
}

/** Nothing is left that could stand in: wait, each time longer, and begin again where the outage began. */
export function waitOut(job: Job, cause: string, now: Circumstances): Step {
  const outages = job.progress.outages + 1;
  const waiting: Job = { ...job, progress: { ...job.progress, outages, outageFromStep: null } };
  const delayMs = Math.max(backoffMs(currentStep(job).retry, outages, now.random), OUTAGE_WAIT_MIN_MS);
  return queueAt(waiting, { step: outageStart(job), modelIndex: 0 }, delayMs, "job.waited", cause, now);
}

/** The step from which the job began to fall back; the present one when it did not. */
export function outageStart(job: Job): number {
  return job.progress.outageFromStep ?? job.progress.step;
}

/** No attempt can be done in the time left: the provider's fault when it was away all the time. */
export function outOfTime(job: Job, now: Circumstances): Step {
  return stop(job, job.progress.outages > 0 ? "provider_outage" : "deadline", now);
}

/** Ends the work on a job. What was verified in part is delivered, unless nobody wants it any more. */
export function stop(job: Job, reason: Reason, now: Circumstances): Step {
  const unwanted = reason === "canceled" || reason === "rejected" || reason === "lapsed";
  if (job.progress.best !== null && !unwanted) return deliver(job, job.progress.best, now);
  return resolve(job, { resolution: "failure", reason }, now);
}

/** Hands a verified outcome over: to settlement at once, or to the customer for acceptance. */
export function deliver(job: Job, outcome: OutcomeInHand, now: Circumstances): Step {
  const resolution = outcome.decision === "pass" ? "success" : "partial";
  const { acceptance } = job.terms;
  if (acceptance.mode === "automatic") return resolve(job, { resolution, reason: "verified" }, now, outcome.verdictId);
  const settlesAtMs = now.nowMs + acceptance.durationMs;
  return move(
    job,
    {
      state: "awaiting_acceptance",
      resolution,
      readyAtMs: settlesAtMs,
      wakeAtMs: settlesAtMs,
      progress: { current: null, best: outcome },
    },
    event("job.delivered", { resolution, score: outcome.score }),
  );
}

/** The resolution is known; the ledger books it next. */
export function resolve(
  job: Job,
  end: { readonly resolution: "success" | "partial" | "failure"; readonly reason: Reason },
  now: Circumstances,
  verdictId?: VerdictId,
): Step {
  return move(
    job,
    {
      state: "settling",
      ...end,
      readyAtMs: now.nowMs,
      wakeAtMs: now.nowMs + PATIENCE_MS,
      progress: { current: null },
    },
    event("job.resolved", verdictId === undefined ? { ...end } : { ...end, verdict: verdictId }),
  );
}

/** Adds effects in front of those a step already has; an ignored step stays ignored. */
export function withEffects(step: Step, effects: readonly Effect[]): Step {
  return step.kind === "moved" ? { ...step, effects: [...effects, ...step.effects] } : step;
}

/** The attempt in flight is over: moves its reserve to where it belongs and says so in an effect. */
export function endAttempt(
  job: Job,
  outcome: AttemptOutcome,
  costState: "known" | "presumed" | "released",
  reported: Nanos = ZERO,
): { readonly job: Job; readonly effects: readonly Effect[] } {
  const { current } = job.progress;
  if (current === null) return { job, effects: [] };
  const cost = costState === "known" ? reported : costState === "presumed" ? current.reserve : ZERO;
  const spent: JobCost = {
    known: costState === "known" ? add(job.cost.known, cost) : job.cost.known,
    presumed: costState === "presumed" ? add(job.cost.presumed, cost) : job.cost.presumed,
    held: subtract(job.cost.held, current.reserve),
    overrun: add(job.cost.overrun, max(ZERO, subtract(cost, current.reserve))),
  };
  const { attemptId, provider, model } = current;
  return {
    job: { ...job, cost: spent },
    effects: [{ type: "end_attempt", attemptId, provider, model, outcome, costState, cost }],
  };
}

/** A verdict was reached: what it cost is spent, also when it came too late or says that the answer is no good. */
export function payVerdict(
  job: Job,
  { verdictId, cost }: { readonly verdictId: VerdictId; readonly cost: Nanos },
): { readonly job: Job; readonly effects: readonly Effect[] } {
  const { validation } = job.terms;
  if (validation === null || cost === ZERO) return { job, effects: [] };
  const reserve = verdictCostMax(job);
  const spent: JobCost = {
    ...job.cost,
    known: add(job.cost.known, cost),
    overrun: add(job.cost.overrun, max(ZERO, subtract(cost, reserve))),
  };
  const { provider, name } = validation;
  return {
    job: { ...job, cost: spent },
    effects: [{ type: "pay_verdict", verdictId, provider, name, cost, reserve }],
  };
}

/** Counts an attempt of the present step that was used up, and forgets troubles that an answer has disproved. */
export function countAttempt(job: Job): Job {
  const { step } = job.progress;
  const tried = job.progress.tried.map((n, i) => (i === step ? n + 1 : n));
  return { ...job, progress: { ...job.progress, tried, outages: 0, outageFromStep: null, strikes: 0 } };
}

/** `initialDelay × multiplier^(n−1)` for the n-th wait, spread by ± jitter, at most `delayMax`. */
export function backoffMs(policy: RetryPolicy, wait: number, random: number): number {
  // Bounded, so that a very long outage does not make it infinite, and infinity times nothing no number at all.
  const growth = Math.min(policy.multiplier ** Math.max(0, wait - 1), Number.MAX_SAFE_INTEGER);
  const delayMs = policy.initialDelayMs * growth;
  const spread = 1 + policy.jitter * (2 * random - 1);
  return Math.round(Math.min(delayMs * spread, policy.delayMaxMs));
}

/** Whether the job may be attempted again, over all its tiers. */
function hasAttemptsLeft(job: Job): boolean {
  return job.progress.tried.reduce((total, n) => total + n, 0) < job.terms.attemptsMax;
}

/** The first step behind the given one that has attempts left. */
export function openStepAfter(job: Job, step: number): number | null {
  const index = job.terms.cascade.findIndex((s, i) => i > step && (job.progress.tried[i] ?? 0) < s.attemptsMax);
  return index === -1 ? null : index;
}
