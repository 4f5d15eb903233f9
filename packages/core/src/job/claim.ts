/** May an attempt start, with which model and how large an answer? Decided before anything is spent. */
import { outputTokensThatFit, type Rate, worstCaseCost } from "../cost.ts";
import { add } from "../money.ts";
import type { Circumstances, Fact, Step } from "./facts.ts";
import { budgetLeft, currentModel, currentStep, type Job } from "./job.ts";
import { event, fallBack, LEASE_GRACE_MS, move, queueAt, stop } from "./moves.ts";

type Claim = Extract<Fact, { type: "claim" }>;

/** Decides a claim of a queued job: start, move to another place in the cascade, or stop. */
export function claim(job: Job, fact: Claim, now: Circumstances): Step {
  if (now.nowMs < job.readyAtMs) return { kind: "ignored", because: "not_yet" };
  const timeLeftMs = job.deadlineAtMs - now.nowMs;
  if (timeLeftMs < currentStep(job).timeNeededMs) return quickerTier(job, timeLeftMs, now);

  const rate = fact.rates.get(currentModel(job));
  if (rate === undefined) return fallBack(job, "unknown_price", now);

  const outputTokensMax = affordableOutput(job, rate, fact.inputTokens);
  // The bound is generous: only when it does not fit whole is an exact count worth a request.
  if (!fact.exact && outputTokensMax < job.progress.outputTokensMax) return { kind: "count_tokens" };
  if (outputTokensMax < job.terms.outputTokens.min) return cheaperPlace(job, fact, now);
  return start(job, fact, rate, outputTokensMax, timeLeftMs, now);
}

/** The largest output limit, up to the wanted one, whose worst case fits what may still be spent. */
function affordableOutput(job: Job, rate: Rate, inputTokens: number): number {
  return Math.min(job.progress.outputTokensMax, outputTokensThatFit(rate, inputTokens, budgetLeft(job)));
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

/** The tier needs longer than there is: a later tier that is quick enough, else the deadline is as good as passed. */
function quickerTier(job: Job, timeLeftMs: number, now: Circumstances): Step {
  const step = job.terms.cascade.findIndex(
    (s, i) => i > job.progress.step && s.timeNeededMs <= timeLeftMs && (job.progress.tried[i] ?? 0) < s.attemptsMax,
  );
  if (step !== -1) return queueAt(job, { step, modelIndex: 0 }, 0, "job.rerouted", "too_slow", now);
  return stop(job, job.progress.outages > 0 ? "provider_outage" : "deadline", now);
}

/** The model does not fit the cost cap even with the smallest answer: another one, here or further on, that does. */
function cheaperPlace(job: Job, fact: Claim, now: Circumstances): Step {
  for (const [step, { models, attemptsMax }] of job.terms.cascade.entries()) {
    if (step < job.progress.step || (job.progress.tried[step] ?? 0) >= attemptsMax) continue;
    for (const [modelIndex, model] of models.entries()) {
      const rate = fact.rates.get(model);
      const here = step === job.progress.step && modelIndex === job.progress.modelIndex;
      if (here || rate === undefined) continue;
      if (outputTokensThatFit(rate, fact.inputTokens, budgetLeft(job)) < job.terms.outputTokens.min) continue;
      return queueAt(job, { step, modelIndex }, 0, "job.rerouted", "cost_cap", now);
    }
  }
  return stop(job, "cost_cap", now);
}
