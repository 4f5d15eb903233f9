/**
 * What happens next: every branch of the product is here or in a function this file calls, and nowhere else.
 *
 * `decide(job, fact, circumstances)` is pure. A fact that does not belong to the job's state is ignored: it was sent
 * twice, came late, or lost a race, and changes nothing. That holds for every state and every fact, so a message may be
 * lost, delivered three times or out of order without harm.
 */
import type { Circumstances, Fact, Step } from "./facts.ts";
import { claim } from "./claim.ts";
import { endInquiry, inquired, outOfTimeToJudge, putOff, replied, unanswered, validatorBroke } from "./inquire.ts";
import type { Job, OutcomeInHand } from "./job.ts";
import {
  countAttempt,
  deliver,
  endAttempt,
  escalate,
  event,
  fallBack,
  move,
  outOfTime,
  patienceUntil,
  payVerdict,
  queueAt,
  REFUSALS_MAX,
  reopen,
  resolve,
  retryOrEscalate,
  STRIKES_MAX,
  stop,
  withEffects,
} from "./moves.ts";

type FactOf<T extends Fact["type"]> = Extract<Fact, { type: T }>;
type ValidationFact =
  | "judged"
  | "validator_broke"
  | "validator_lost"
  | "inquired"
  | "put_off"
  | "replied"
  | "unanswered";

const STALE: Step = { kind: "ignored", because: "stale" };
const LATE: Step = { kind: "ignored", because: "late_answer" };

/** How long a tier rests when the provider says "too many requests" without saying for how long. */
const RATE_LIMIT_PAUSE_DEFAULT_MS = 5_000;
/** However little the provider asks for, a tier does not call it in a circle. */
export const RATE_LIMIT_PAUSE_MIN_MS = 100;
/** However much the provider asks for, a tier looks again after this long: a wrong header must not stop it for good. */
export const RATE_LIMIT_PAUSE_MAX_MS = 60_000;

/** The next step of a job, given one fact. */
export function decide(job: Job, fact: Fact, now: Circumstances): Step {
  switch (fact.type) {
    case "claim":
      return job.state === "queued" ? claim(job, fact, now) : STALE;
    case "answered":
    case "call_failed":
      return ofAttempt(job, fact, now);
    case "judged":
    case "validator_broke":
    case "validator_lost":
    case "inquired":
    case "put_off":
    case "replied":
    case "unanswered":
      return ofValidation(job, fact, now);
    case "cancel":
      return cancel(job, now);
    case "accepted":
      return inWindow(job, now) ? accepted(job, "accepted", now) : STALE;
    case "rejected":
      return inWindow(job, now) ? rejected(job, now) : STALE;
    case "woke":
      return woke(job, now);
    case "settled":
      return job.state === "settling" ? closed(job) : STALE;
  }
}

/** What came of the call that the job waits for. */
function ofAttempt(job: Job, fact: FactOf<"answered" | "call_failed">, now: Circumstances): Step {
  const current = isCurrent(job, "attempting", fact);
  if (fact.type === "answered") return current ? answered(job, fact, now) : LATE;
  return current ? callFailed(job, fact, now) : STALE;
}

/** What the validator has to say about the answer that the job waits with. */
function ofValidation(job: Job, fact: FactOf<ValidationFact>, now: Circumstances): Step {
  switch (fact.type) {
    case "judged":
      return mayJudge(job, fact) ? judged(job, fact, now) : fact.cost > 0n ? LATE : STALE;
    case "validator_broke":
      return mayJudge(job, fact) ? validatorBroke(job, "validator_error", fact.reviewId, now) : STALE;
    case "validator_lost":
      return mayJudge(job, fact) ? validatorBroke(job, "validator_lost", fact.reviewId, now) : STALE;
    case "inquired":
      return mayJudge(job, fact) ? inquired(job, fact, now) : STALE;
    case "put_off":
      return mayJudge(job, fact) ? putOff(job, fact, now) : STALE;
    case "replied":
      return isAsked(job, fact) ? replied(job, fact, now) : LATE;
    case "unanswered":
      return isAsked(job, fact) ? unanswered(job, fact, now) : fact.cost === null ? STALE : LATE;
  }
}

function isCurrent(job: Job, state: Job["state"], fact: { readonly attemptId: string }): boolean {
  return job.state === state && job.progress.current?.attemptId === fact.attemptId;
}

/** Whether a verdict on this attempt is awaited now. While somebody is being asked there is none: it would not have heard the reply. */
function mayJudge(job: Job, fact: { readonly attemptId: string }): boolean {
  return isCurrent(job, "validating", fact) && job.progress.inquiry === null;
}

function isAsked(job: Job, fact: { readonly attemptId: string; readonly inquiryId: string }): boolean {
  return isCurrent(job, "validating", fact) && job.progress.inquiry?.inquiryId === fact.inquiryId;
}

/** Whether the customer may still decide. When the window is over silence has decided, however late the wake-up comes. */
function inWindow(job: Job, now: Circumstances): boolean {
  return job.state === "awaiting_acceptance" && now.nowMs < job.readyAtMs;
}

function answered(job: Job, fact: FactOf<"answered">, now: Circumstances): Step {
  const outcome = fact.stop === "end" ? "answered" : fact.stop;
  const { job: paid, effects } = endAttempt(job, outcome, "known", fact.cost);
  return withEffects(afterAnswer(paid, fact, now), effects);
}

function afterAnswer(job: Job, fact: FactOf<"answered">, now: Circumstances): Step {
  switch (fact.stop) {
    case "end":
      return move(
        job,
        {
          state: "validating",
          readyAtMs: now.nowMs,
          wakeAtMs: patienceUntil(job, now.nowMs),
          progress: { strikes: 0 },
        },
        event("attempt.answered", { attempt: fact.attemptId }),
      );
    case "truncated": {
      const tried = countAttempt(job);
      const outputTokensMax = Math.min(job.progress.outputTokensMax * 2, job.terms.outputTokens.max);
      return retryOrEscalate({ ...tried, progress: { ...tried.progress, outputTokensMax } }, "truncated", now);
    }
    case "refused": {
      const tried = countAttempt(job);
      const refusals = job.progress.refusals + 1;
      const refused: Job = { ...tried, progress: { ...tried.progress, refusals } };
      return refusals >= REFUSALS_MAX ? stop(refused, "refused", now) : escalate(refused, "refused", "refused", now);
    }
  }
}

function callFailed(job: Job, fact: FactOf<"call_failed">, now: Circumstances): Step {
  const { job: ended, effects } = endAttempt(job, fact.failure, fact.mayHaveBeenBilled ? "presumed" : "released");
  // Whoever reports a failure has not vanished.
  const over: Job = { ...ended, progress: { ...ended.progress, strikes: 0 } };
  switch (fact.failure) {
    case "unavailable":
    case "rejected":
      return withEffects(fallBack(over, fact.failure, now), effects);
    case "timeout": {
      const tried = countAttempt(over);
      // The job's own deadline cut the call off, whatever tiers are left.
      if (now.nowMs >= job.deadlineAtMs) return withEffects(stop(tried, "deadline", now), effects);
      // A slow tier is not tried again.
      return withEffects(escalate(tried, "timeout", "exhausted", now), effects);
    }
    case "rate_limited": {
      const askedMs = fact.retryAfterMs ?? RATE_LIMIT_PAUSE_DEFAULT_MS;
      const pauseMs = Math.min(Math.max(askedMs, RATE_LIMIT_PAUSE_MIN_MS), RATE_LIMIT_PAUSE_MAX_MS);
      const { step, modelIndex } = over.progress;
      const tier = over.terms.cascade[step]?.tier ?? "";
      return withEffects(queueAt(over, { step, modelIndex }, pauseMs, "job.waited", "rate_limited", now), [
        ...effects,
        { type: "pause_tier", tier, durationMs: pauseMs },
      ]);
    }
  }
}

function judged(job: Job, fact: FactOf<"judged">, now: Circumstances): Step {
  const { job: paid, effects } = payVerdict(job, fact);
  return withEffects(afterVerdict(paid, fact, now), effects);
}

function afterVerdict(job: Job, fact: FactOf<"judged">, now: Circumstances): Step {
  const tried = countAttempt(job);
  // A verdict that comes after the deadline is too late to be charged, whatever it says. A rework may follow all the same,
  // where an outcome from before is in hand: the attempt is used up.
  if (now.nowMs >= job.deadlineAtMs) return stop(tried, "deadline", now);
  if (fact.decision === "fail") return retryOrEscalate(tried, "verdict", now);
  const outcome: OutcomeInHand = { ...fact, decision: fact.decision };
  const best = betterOf(job.progress.best, outcome);
  const holding: Job = { ...tried, progress: { ...tried.progress, best } };
  return fact.decision === "pass" ? deliver(holding, best, now) : retryOrEscalate(holding, "verdict", now);
}

function betterOf(best: OutcomeInHand | null, next: OutcomeInHand): OutcomeInHand {
  const { attemptId, verdictId, decision, score, value } = next;
  const candidate: OutcomeInHand = { attemptId, verdictId, decision, score, value };
  if (best === null || candidate.decision === "pass") return candidate;
  return candidate.score > best.score ? candidate : best;
}

function cancel(job: Job, now: Circumstances): Step {
  switch (job.state) {
    case "queued":
      return stop(job, "canceled", now);
    case "validating": {
      const { job: over, effects } = endInquiry(job, "dropped", null);
      return withEffects(stop(over, "canceled", now), effects);
    }
    case "attempting": {
      // The call goes on somewhere; until its cost is known it counts at its worst.
      const { job: over, effects } = endAttempt(job, "canceled", "presumed");
      return withEffects(stop(over, "canceled", now), effects);
    }
    case "awaiting_acceptance":
    case "settling":
    case "closed":
      return STALE;
  }
}

function accepted(job: Job, reason: "accepted" | "accepted_by_silence", now: Circumstances): Step {
  const resolution = job.progress.best?.decision === "partial" ? "partial" : "success";
  return resolve(job, { resolution, reason }, now, job.progress.best?.verdictId);
}

/** The customer does not want this outcome. Where the type allows rework, and attempts are left, it gets another one. */
function rejected(job: Job, now: Circumstances): Step {
  return job.terms.rework ? reopen(job, now) : released(job, "rejected", now);
}

function released(job: Job, reason: "rejected" | "lapsed", now: Circumstances): Step {
  return resolve(job, { resolution: "failure", reason }, now);
}

/** The wake-up call: what is overdue ends; what is not has perhaps lost its message. */
function woke(job: Job, now: Circumstances): Step {
  const overdue = now.nowMs >= job.deadlineAtMs;
  switch (job.state) {
    case "queued":
      if (overdue) return outOfTime(job, now);
      return { kind: "ignored", because: "still_waiting" };
    case "validating":
      if (overdue) return outOfTimeToJudge(job, now);
      return { kind: "ignored", because: "still_waiting" };
    case "attempting":
      return now.nowMs >= job.wakeAtMs ? lost(job, now) : { kind: "ignored", because: "still_waiting" };
    case "awaiting_acceptance": {
      if (now.nowMs < job.readyAtMs) return { kind: "ignored", because: "still_waiting" };
      const { acceptance } = job.terms;
      const accepts = acceptance.mode !== "automatic" && acceptance.onSilence === "accept";
      return accepts ? accepted(job, "accepted_by_silence", now) : released(job, "lapsed", now);
    }
    case "settling":
      return { kind: "ignored", because: "still_waiting" };
    case "closed":
      return STALE;
  }
}

/** The lease is over and nobody answered: the worker is gone, its call counts as spent, and another may try. */
function lost(job: Job, now: Circumstances): Step {
  const { job: over, effects } = endAttempt(job, "lost", "presumed");
  if (now.nowMs >= job.deadlineAtMs) return withEffects(stop(over, "deadline", now), effects);
  const strikes = job.progress.strikes + 1;
  const struck: Job = { ...over, progress: { ...over.progress, strikes } };
  if (strikes >= STRIKES_MAX) return withEffects(escalate(countAttempt(struck), "lost", "exhausted", now), effects);
  const { step, modelIndex } = job.progress;
  return withEffects(queueAt(struck, { step, modelIndex }, 0, "job.retried", "lost", now), effects);
}

function closed(job: Job): Step {
  return move(
    job,
    { state: "closed" },
    event("job.closed", { resolution: job.resolution ?? "failure", reason: job.reason ?? "exhausted" }),
  );
}
