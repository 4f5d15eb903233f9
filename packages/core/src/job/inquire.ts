/**
 * What a verdict may have to wait for: somebody who is asked about the answer, and a validator that keeps breaking, which
 * ends with a person being asked. An inquiry is held against the cap like a call, ends once, and its reply is recorded
 * before anything follows from it.
 */
import type { InquiryId } from "../ids.ts";
import { add, max, type Nanos, subtract, ZERO } from "../money.ts";
import type { Circumstances, Effect, Fact, InquiryOutcome, Step } from "./facts.ts";
import { budgetLeft, type Job, type JobCost, type OpenInquiry, verdictCostMax } from "./job.ts";
import { backoffMs, event, LEASE_GRACE_MS, move, patienceUntil, STRIKES_MAX, stop, withEffects } from "./moves.ts";

type FactOf<T extends Fact["type"]> = Extract<Fact, { type: T }>;

/** A broken validator is asked again after these waits. */
const VALIDATOR_RETRY = { initialDelayMs: 500, multiplier: 4, jitter: 0.2, delayMaxMs: 10_000 };
/** Who decides instead of a validator that keeps breaking. */
export const REVIEW = "review@1";
/** With less time than this to the deadline nobody is asked to review: a person could hardly read the answer. */
export const REVIEW_TIME_MIN_MS = 30_000;

/** The verdict waits for somebody: what that may cost is held, as long as it and the verdict still fit. */
export function inquired(job: Job, { inquiry, durationMs }: FactOf<"inquired">, now: Circumstances): Step {
  if (now.nowMs >= job.deadlineAtMs) return outOfTimeToJudge(job, now);
  if (inquiry.reserve > subtract(budgetLeft(job), verdictCostMax(job))) return stop(job, "cost_cap", now);
  // Whoever calls a model or a service needs time to write the reply down; a person's reply is written down as it is given.
  const graceMs = inquiry.asked === "person" ? 0 : LEASE_GRACE_MS;
  return open(job, inquiry, now.nowMs + durationMs + graceMs);
}

/** There is no room with whom the verdict waits for. That is nobody's failure and costs nothing; the deadline ends it. */
export function putOff(job: Job, { delayMs }: FactOf<"put_off">, now: Circumstances): Step {
  if (now.nowMs >= job.deadlineAtMs) return outOfTimeToJudge(job, now);
  return waitUntil(job, now.nowMs + Math.round(delayMs * (1 + now.random)), "busy", now);
}

/** No message is due before the inquiry is: whoever asks publishes what comes of it. */
function open(job: Job, inquiry: OpenInquiry, untilMs: number): Step {
  const { current } = job.progress;
  const dueAtMs = Math.min(untilMs, job.deadlineAtMs);
  const { leaf, validator, asked } = inquiry;
  return move(
    job,
    {
      readyAtMs: dueAtMs,
      wakeAtMs: dueAtMs,
      cost: { ...job.cost, held: add(job.cost.held, inquiry.reserve) },
      progress: { inquiry },
    },
    event("inquiry.opened", { inquiry: inquiry.inquiryId, leaf, validator, asked }),
    current === null ? [] : [{ type: "open_inquiry", attemptId: current.attemptId, ...inquiry, dueAtMs }],
  );
}

/** There is a reply: the verdict is reached with it, at once. */
export function replied(job: Job, { outcome, cost }: FactOf<"replied">, now: Circumstances): Step {
  const { inquiry } = job.progress;
  if (now.nowMs >= job.deadlineAtMs) return outOfTimeToJudge(job, now, { outcome, cost });
  const { job: over, effects } = endInquiry(job, outcome, cost);
  const answered = event("inquiry.answered", {
    inquiry: inquiry?.inquiryId ?? "",
    validator: inquiry?.validator ?? "",
    silence: outcome === "silence",
  });
  const ready = { readyAtMs: now.nowMs, wakeAtMs: patienceUntil(job, now.nowMs), progress: { strikes: 0 } };
  return move(over, ready, answered, effects);
}

/** There will be no reply: as if the validator had broken. Who was to decide instead of it is not asked twice. */
export function unanswered(job: Job, { cost, reviewId }: FactOf<"unanswered">, now: Circumstances): Step {
  if (now.nowMs >= job.deadlineAtMs) return outOfTimeToJudge(job, now, { outcome: "broke", cost });
  const { job: over, effects } = endInquiry(job, "broke", cost);
  const reviewed = job.progress.inquiry?.kind === "validator_error";
  const step = reviewed ? stop(over, "validator_error", now) : struck(over, "unanswered", reviewId, now);
  return withEffects(step, effects);
}

export function validatorBroke(
  job: Job,
  cause: "validator_error" | "validator_lost",
  reviewId: InquiryId,
  now: Circumstances,
): Step {
  if (now.nowMs >= job.deadlineAtMs) return outOfTimeToJudge(job, now);
  return struck(job, cause, reviewId, now);
}

/** Once more, after a wait; the third time in a row a person is to decide, until the deadline. */
function struck(job: Job, cause: string, reviewId: InquiryId, now: Circumstances): Step {
  const strikes = job.progress.strikes + 1;
  if (strikes >= STRIKES_MAX) return putBeforePerson(job, reviewId, now);
  const struckJob: Job = { ...job, progress: { ...job.progress, strikes } };
  return waitUntil(struckJob, now.nowMs + backoffMs(VALIDATOR_RETRY, strikes, now.random), cause, now);
}

function waitUntil(job: Job, readyAtMs: number, cause: string, now: Circumstances): Step {
  return move(
    job,
    { readyAtMs, wakeAtMs: patienceUntil(job, readyAtMs) },
    event("job.waited", { cause, delay_ms: readyAtMs - now.nowMs }),
  );
}

function putBeforePerson(job: Job, inquiryId: InquiryId, now: Circumstances): Step {
  if (job.deadlineAtMs - now.nowMs < REVIEW_TIME_MIN_MS) return stop(job, "validator_error", now);
  const review = { inquiryId, kind: "validator_error", leaf: "", validator: REVIEW, asked: "person" } as const;
  return open(job, { ...review, reserve: ZERO, payee: null }, job.deadlineAtMs);
}

/**
 * The deadline has passed before there was a verdict. Where a person was to decide because the validators kept breaking,
 * that is the reason, not the clock.
 */
export function outOfTimeToJudge(
  job: Job,
  now: Circumstances,
  end: { readonly outcome: InquiryOutcome; readonly cost: Nanos | null } = { outcome: "dropped", cost: null },
): Step {
  const reason = job.progress.inquiry?.kind === "validator_error" ? "validator_error" : "deadline";
  const { job: over, effects } = endInquiry(job, end.outcome, end.cost);
  return withEffects(stop(over, reason, now), effects);
}

/**
 * The open inquiry, if there is one, is over: moves its reserve to where it belongs and says so in an effect.
 * @param reported what it cost; null: unknown, so its reserve counts as spent
 */
export function endInquiry(
  job: Job,
  outcome: InquiryOutcome,
  reported: Nanos | null,
): { readonly job: Job; readonly effects: readonly Effect[] } {
  const { inquiry } = job.progress;
  if (inquiry === null) return { job, effects: [] };
  const { inquiryId, payee, reserve } = inquiry;
  const cost = payee === null ? ZERO : (reported ?? reserve);
  const costState = cost === ZERO ? "released" : reported === null ? "presumed" : "known";
  const spent: JobCost = {
    known: costState === "known" ? add(job.cost.known, cost) : job.cost.known,
    presumed: costState === "presumed" ? add(job.cost.presumed, cost) : job.cost.presumed,
    held: subtract(job.cost.held, reserve),
    overrun: add(job.cost.overrun, max(ZERO, subtract(cost, reserve))),
  };
  return {
    job: { ...job, cost: spent, progress: { ...job.progress, inquiry: null } },
    effects: [{ type: "end_inquiry", inquiryId, payee, outcome, costState, cost }],
  };
}
