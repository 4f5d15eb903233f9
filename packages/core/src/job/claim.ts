/** May an attempt start, with which model and how large an answer? Decided before anything is spent. */
import { outputTokensThatFit, type Rate, worstCaseCost } from "../cost.ts";
import { add } from "../money.ts";
import type { Circumstances, Fact, Step } from "./facts.ts";
import { attemptBudgetLeft, currentModel, currentStep, type Job } from "./job.ts";
import { event, fallBack, LEASE_GRACE_MS, move, outageStart, outOfTime, queueAt, stop, waitOut } from "./moves.ts";

type Claim = Extract<Fact, { type: "claim" }>;

/** How long a job waits at the least that comes back to a model which has enough of such; spread up to twice as long. */
export const RETRY_BUDGET_WAIT_MS = 1_000;

/** Decides a claim of a queued job: start, move to another place in the cascade, or stop. */
export function claim(job: Job, fact: Claim, now: Circumstances): Step {
  if (now.nowMs < job.readyAtMs) return { kind: "ignored", because: "not_yet" };
  const timeLeftMs = job.deadlineAtMs - now.nowMs;
  if (timeLeftMs <= 0) return outOfTime(job, now);
  if (timeLeftMs < currentStep(job).timeNeededMs) return quickerTier(job, timeLeftMs, now);

  const model = currentModel(job);
  if (fact.away.has(model)) return fallBack(job, "breaker_open", now, fact.away);
  const rate = fact.rates.get(model);
  if (rate === undefined) return fallBack(job, "unknown_price", now, fact.away);
  if (fact.mustWait) return comeBackLater(job, now);

  const outputTokensMax = affordableOutput(job, rate, fact.inputTokens);
  // The bound is generous: only when it does not fit whole is an exact count worth a request.
  if (!fact.exact && outputTokensMax < job.progress.outputTokensMax) return { kind: "count_tokens" };
  if (outputTokensMax < smallestAnswer(job)) return cheaperPlace(job, fact, now);
  return start(job, fact, rate, outputTokensMax, timeLeftMs, now);
}

/** Neither the job's fault nor news about the model: it stays where it is, and comes back when there is room. */
function comeBackLater(job: Job, now: Circumstances): Step {
  const { step, modelIndex } = job.progress;
  const delayMs = Math.round(RETRY_BUDGET_WAIT_MS * (1 + now.random));
  return queueAt(job, { step, modelIndex }, delayMs, "job.waited", "retry_budget", now);
}

/** The largest output limit, up to the wanted one, whose worst case fits what may still be spent. */
function affordableOutput(job: Job, rate: Rate, inputTokens: number): number {
  return Math.min(job.progress.outputTokensMax, outputTokensThatFit(rate, inputTokens, attemptBudgetLeft(job)));
}

function start(
  job: Job,
  fact: Claim,
  rate: Rate,
  outputTokensMax: number,
  timeLeftMs: number,
  now: Circumstances,
): Step {
  const step = currentStep(job);
  const model = currentModel(job);
  const { attemptId } = fact;
  const number = job.attempts + 1;
  const reserve = worstCaseCost(rate, fact.inputTokens, outputTokensMax);
  const timeoutMs = Math.min(step.timeoutMs, timeLeftMs);
  const { provider } = rate;
  return move(
    job,
    {
      state: "attempting",
      attempts: number,
      wakeAtMs: now.nowMs + timeoutMs + LEASE_GRACE_MS,
      cost: { ...job.cost, held: add(job.cost.held, reserve) },
      progress: { current: { attemptId, provider, model, reserve } },
    },
    event("attempt.started", { attempt: attemptId, number, tier: step.tier, model }),
    [
      {
        type: "start_attempt",
        attemptId,
        number,
        tier: step.tier,
        provider,
        model,
        outputTokensMax,
        reserve,
        timeoutMs,
      },
    ],
  );
}

/**
 * The tier needs longer than there is: a later tier that is quick enough; else, where it only stands in for an unavailable
 * tier that would be quick enough, a wait for that one; else the deadline is as good as passed.
 */
function quickerTier(job: Job, timeLeftMs: number, now: Circumstances): Step {
  const { cascade } = job.terms;
  const quick = [...cascade.keys()].filter((i) => hasRoom(job, i) && (cascade[i]?.timeNeededMs ?? 0) <= timeLeftMs);
  const step = quick.find((i) => i > job.progress.step);
  if (step !== undefined) return queueAt(job, { step, modelIndex: 0 }, 0, "job.rerouted", "too_slow", now);
  return quick.some((i) => i >= outageStart(job)) ? waitOut(job, "too_slow", now) : outOfTime(job, now);
}

/**
 * The model does not fit the cost cap even with the smallest answer: another one further on that does; else, where it only
 * stands in for an unavailable one that would fit, a wait for that one. Going straight back there would turn in a circle,
 * as fast as the queue allows, for as long as the outage lasts.
 */
function cheaperPlace(job: Job, fact: Claim, now: Circumstances): Step {
  const present = job.progress;
  const fitting = placesThatFit(job, fact);
  const further = fitting.find(
    (p) => p.step > present.step || (p.step === present.step && p.modelIndex > present.modelIndex),
  );
  if (further !== undefined) return queueAt(job, further, 0, "job.rerouted", "cost_cap", now);
  if (fitting.some((p) => p.step >= outageStart(job))) return waitOut(job, "cost_cap", now);
  // A rework that cannot even begin is none: the job ends as it would have without one.
  const reworks = job.progress.reworkedAfter === job.attempts;
  return stop(job, reworks ? "rejected" : "cost_cap", now);
}

/** Every place of the cascade with attempts left whose model has a price that fits what may still be spent. */
function placesThatFit(job: Job, fact: Claim): readonly { readonly step: number; readonly modelIndex: number }[] {
  return job.terms.cascade.flatMap(({ models }, step) =>
    models.flatMap((model, modelIndex) => {
      const rate = fact.rates.get(model);
      if (rate === undefined || !hasRoom(job, step)) return [];
      const tokens = outputTokensThatFit(rate, fact.inputTokens, attemptBudgetLeft(job));
      return tokens >= smallestAnswer(job) ? [{ step, modelIndex }] : [];
    }),
  );
}

/** The least output limit worth a call, tokens. A prompt that does not fit leaves room for none, so none is too few. */
function smallestAnswer(job: Job): number {
  return Math.max(1, job.terms.outputTokens.min);
}

/** Whether the step has attempts left. */
function hasRoom(job: Job, step: number): boolean {
  return (job.progress.tried[step] ?? 0) < (job.terms.cascade[step]?.attemptsMax ?? 0);
}
