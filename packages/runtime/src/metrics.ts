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
 * | outcome.api.errors | counter | {error} | error.type, outcome.limit |
 * | outcome.transport.available | gauge | 1 | |
 * | outcome.queue.wait | histogram | ms | messaging.destination.name |
 * | outcome.queue.dropped | counter | {message} | messaging.destination.name, outcome.drop.cause |
 */
import type { Effect } from "@contingent/core/job/facts";
import { currentStep, type Job } from "@contingent/core/job/job";
import type { Nanos } from "@contingent/core/money";
import { metrics } from "@opentelemetry/api";
import { ERROR_TYPE, GEN_AI, OUTCOME } from "./attributes.ts";
import type { Log } from "./log.ts";

const SCOPE = "@contingent/runtime";

let made: ReturnType<typeof makeInstruments> | null = null;

/** Made at the first use, which is after telemetry has started: a meter that is taken earlier stays a no-op. */
function instruments(): ReturnType<typeof makeInstruments> {
  made ??= makeInstruments();
  return made;
}

function makeInstruments() {
  const meter = metrics.getMeter(SCOPE);
  const counter = (name: string, unit: string, description: string) => meter.createCounter(name, { unit, description });
  const durations = (name: string, description: string) => meter.createHistogram(name, { unit: "ms", description });
  return {
    jobs: counter("outcome.jobs", "{job}", "Jobs closed."),
    price: counter("outcome.price", "nUSD", "What customers were charged."),
    attempts: counter("outcome.attempts", "{attempt}", "Attempts ended."),
    cost: counter("outcome.cost", "nUSD", "What providers charge us."),
    validation: durations("outcome.validation.duration", "Time to reach a verdict."),
    inquiry: durations("outcome.inquiry.duration", "Time that whoever is asked about an answer takes."),
    audits: counter("outcome.audits", "{audit}", "Audits decided."),
    alerts: counter("outcome.quality.alerts", "{alert}", "Alerts of false bills raised, become certain and cleared."),
    deadLetters: counter("outcome.dead_letters", "{job}", "Jobs that ended because the system broke."),
    breakers: counter("outcome.breaker.changes", "{change}", "Circuit breakers opened, probed and closed."),
    orphans: counter("outcome.orphans", "{job}", "Jobs taken away from processes that were not seen any more."),
    republished: counter(
      "outcome.republished",
      "{message}",
      "Messages published again because the transport may have lost them, or never got them.",
    ),
    apiErrors: counter(
      "outcome.api.errors",
      "{error}",
      "Requests, and lines of bulk requests, that the API answered with an error.",
    ),
    transport: meter.createGauge("outcome.transport.available", {
      unit: "1",
      description: "1 while the queue transport takes messages and keeps them, else 0.",
    }),
  };
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
  const { model, outcome, cost: amount } = ended;
  const { attempts, cost } = instruments();
  const where = { [OUTCOME.tier]: currentStep(before).tier, [GEN_AI.requestModel]: model };
  attempts.add(1, { ...where, [OUTCOME.attemptResult]: outcome });
  cost.add(Number(amount), where);
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

/** Once a request, or a line of one, is answered with an error. Nothing of what was sent goes along. */
export function recordError({ code, limit }: { readonly code: string; readonly limit: string | null }): void {
  instruments().apiErrors.add(1, { [ERROR_TYPE]: code, ...(limit === null ? {} : { [OUTCOME.limit]: limit }) });
}

/** After each look at the transport. */
export function recordTransport(isAvailable: boolean): void {
  instruments().transport.record(isAvailable ? 1 : 0);
}
