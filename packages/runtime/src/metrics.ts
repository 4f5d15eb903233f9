/**
 * The metrics of the business, one function per thing that happens. (Those of queues are recorded by `@contingent/queue`.)
 *
 * | name | kind | unit | attributes |
 * |---|---|---|---|
 * | outcome.jobs | counter | {job} | outcome.type, outcome.resolution, outcome.reason |
 * | outcome.price | counter | nUSD (1e-9 USD) | outcome.type |
 * | outcome.attempts | counter | {attempt} | outcome.tier, gen_ai.request.model, outcome.attempt.result |
 * | outcome.cost | counter | nUSD | outcome.tier, gen_ai.request.model |
 * | outcome.validation.duration | histogram | ms | outcome.type, outcome.verdict |
 * | outcome.inquiry.duration | histogram | ms | outcome.type, outcome.inquiry.validator, outcome.inquiry.result |
 * | outcome.audits | counter | {audit} | outcome.type, outcome.audit.result |
 * | outcome.quality.alerts | counter | {alert} | outcome.type, outcome.alert.change |
 * | outcome.dead_letters | counter | {job} | outcome.type, outcome.death.cause |
 * | outcome.breaker.changes | counter | {change} | gen_ai.provider.name, gen_ai.request.model, outcome.breaker.state |
 * | outcome.orphans | counter | {job} | |
 * | outcome.republished | counter | {message} | |
 * | outcome.transport.available | gauge | 1 | |
 * | outcome.queue.wait | histogram | ms | messaging.destination.name |
 * | outcome.queue.dropped | counter | {message} | messaging.destination.name, outcome.drop.cause |
 */
import type { Effect } from "@contingent/core/job/facts";
import { currentStep, type Job } from "@contingent/core/job/job";
import type { Nanos } from "@contingent/core/money";
import { type Counter, type Gauge, type Histogram, metrics } from "@opentelemetry/api";
import { GEN_AI, OUTCOME } from "./attributes.ts";
import type { Log } from "./log.ts";

const SCOPE = "@contingent/runtime";

interface Instruments {
  readonly jobs: Counter;
  readonly price: Counter;
  readonly attempts: Counter;
  readonly cost: Counter;
  readonly validation: Histogram;
  readonly inquiry: Histogram;
  readonly audits: Counter;
  readonly alerts: Counter;
  readonly deadLetters: Counter;
  readonly breakers: Counter;
  readonly orphans: Counter;
  readonly republished: Counter;
  readonly transport: Gauge;
}

let made: Instruments | null = null;

/** Made at the first use, which is after telemetry has started: a meter that is taken earlier stays a no-op. */
function instruments(): Instruments {
  if (made !== null) return made;
  const meter = metrics.getMeter(SCOPE);
  made = {
    jobs: meter.createCounter("outcome.jobs", { unit: "{job}", description: "Jobs closed." }),
    price: meter.createCounter("outcome.price", { unit: "nUSD", description: "What customers were charged." }),
    attempts: meter.createCounter("outcome.attempts", { unit: "{attempt}", description: "Attempts ended." }),
    cost: meter.createCounter("outcome.cost", { unit: "nUSD", description: "What providers charge us." }),
    validation: meter.createHistogram("outcome.validation.duration", {
      unit: "ms",
      description: "Time to reach a verdict.",
    }),
    inquiry: meter.createHistogram("outcome.inquiry.duration", {
      unit: "ms",
      description: "Time that whoever is asked about an answer takes.",
    }),
    audits: meter.createCounter("outcome.audits", { unit: "{audit}", description: "Audits decided." }),
    alerts: meter.createCounter("outcome.quality.alerts", {
      unit: "{alert}",
      description: "Alerts of false bills raised, become certain and cleared.",
    }),
    deadLetters: meter.createCounter("outcome.dead_letters", {
      unit: "{job}",
      description: "Jobs that ended because the system broke.",
    }),
    breakers: meter.createCounter("outcome.breaker.changes", {
      unit: "{change}",
      description: "Circuit breakers opened, probed and closed.",
    }),
    orphans: meter.createCounter("outcome.orphans", {
      unit: "{job}",
      description: "Jobs taken away from processes that were not seen any more.",
    }),
    republished: meter.createCounter("outcome.republished", {
      unit: "{message}",
      description: "Messages published again because the transport may have lost them, or never got them.",
    }),
    transport: meter.createGauge("outcome.transport.available", {
      unit: "1",
      description: "1 while the queue transport takes messages and keeps them, else 0.",
    }),
  };
  return made;
}

/** After the transaction that closes a job. */
export function recordJobClosed(job: {
  readonly outcomeType: string;
  readonly resolution: string;
  readonly reason: string;
  readonly price: Nanos;
}): void {
  const { jobs, price } = instruments();
  jobs.add(1, { [OUTCOME.type]: job.outcomeType, [OUTCOME.resolution]: job.resolution, [OUTCOME.reason]: job.reason });
  price.add(Number(job.price), { [OUTCOME.type]: job.outcomeType });
}

/**
 * After the transaction that ends an attempt, if the transition did: its cost is what was booked for it, which is the
 * worst case where the answer was lost.
 * @param before the job while the attempt was under way
 */
export function recordEndedAttempt(before: Job, effects: readonly Effect[]): void {
  const ended = effects.find((effect) => effect.type === "end_attempt");
  if (ended === undefined) return;
  const { model, outcome: result, cost } = ended;
  recordAttempt({ tier: currentStep(before).tier, model, result, cost });
}

/** After the transaction that books an attempt's end. */
export function recordAttempt(attempt: {
  readonly tier: string;
  readonly model: string;
  readonly result: string;
  readonly cost: Nanos;
}): void {
  const { attempts, cost } = instruments();
  const where = { [OUTCOME.tier]: attempt.tier, [GEN_AI.requestModel]: attempt.model };
  attempts.add(1, { ...where, [OUTCOME.attemptResult]: attempt.result });
  cost.add(Number(attempt.cost), where);
}

export function recordValidation(validation: {
  readonly outcomeType: string;
  readonly verdict: string;
  readonly durationMs: number;
}): void {
  instruments().validation.record(validation.durationMs, {
    [OUTCOME.type]: validation.outcomeType,
    [OUTCOME.verdict]: validation.verdict,
  });
}

/** Once somebody was asked about an answer. What an inquiry costs stands in the books. */
export function recordInquiry(inquiry: {
  readonly outcomeType: string;
  readonly validator: string;
  readonly result: string;
  readonly durationMs: number;
}): void {
  instruments().inquiry.record(inquiry.durationMs, {
    [OUTCOME.type]: inquiry.outcomeType,
    [OUTCOME.inquiryValidator]: inquiry.validator,
    [OUTCOME.inquiryResult]: inquiry.result,
  });
}

/** After the transaction that closes a job which leaves a dead letter. */
export function recordDeadLetter({
  outcomeType,
  cause,
}: {
  readonly outcomeType: string;
  readonly cause: string;
}): void {
  instruments().deadLetters.add(1, { [OUTCOME.type]: outcomeType, [OUTCOME.deathCause]: cause });
}

/** After the transaction that decides an audit. */
export function recordAudit({ outcomeType, result }: { readonly outcomeType: string; readonly result: string }): void {
  instruments().audits.add(1, { [OUTCOME.type]: outcomeType, [OUTCOME.auditResult]: result });
}

/** After the transaction that raises an alert, makes it certain or clears it. */
export function recordQualityAlert(alert: { readonly outcomeType: string; readonly change: string }): void {
  instruments().alerts.add(1, { [OUTCOME.type]: alert.outcomeType, [OUTCOME.alertChange]: alert.change });
}

/** Tells of changes of circuit breakers: each in a line of the log and in the metrics of the one process that made it. */
export function breakerReport(
  log: Pick<Log, "warn">,
): (change: {
  readonly provider: string;
  readonly model: string;
  readonly from: string;
  readonly to: string;
  readonly because: string;
}) => void {
  return (change) => {
    log.warn(change, "circuit breaker changed");
    instruments().breakers.add(1, {
      [GEN_AI.providerName]: change.provider,
      [GEN_AI.requestModel]: change.model,
      [OUTCOME.breakerState]: change.to,
    });
  };
}

/** Once jobs of a process that is gone have become due. */
export function recordOrphans(jobs: number): void {
  instruments().orphans.add(jobs);
}

/** Once messages that may have been missing have been published again. */
export function recordRepublished(messages: number): void {
  instruments().republished.add(messages);
}

/** After each look at the transport. */
export function recordTransport(isAvailable: boolean): void {
  instruments().transport.record(isAvailable ? 1 : 0);
}
