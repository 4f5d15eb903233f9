import { setTimeout as delay } from "node:timers/promises";
import { rateAt, type Rate } from "@contingent/core/cost";
import { decide } from "@contingent/core/job/decide";
import type { Effect, Step } from "@contingent/core/job/facts";
import { currentModel, type Job } from "@contingent/core/job/job";
import { renderPrompt } from "@contingent/core/prompt";
import { newId } from "@contingent/db/ids";
import { insistOnCommit } from "@contingent/db/insist-on-commit";
import { type JobForAttempt, MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import type { Pass } from "@contingent/db/model-gate";
import type { ModelRequest, Provider } from "@contingent/providers/provider";
import { publishNext } from "@contingent/queue/publish-next";
import { databaseClock } from "@contingent/runtime/clock";
import type { WorkerContext } from "./context.ts";
import { type Admission, askGate } from "./gate.ts";
import { attemptTraceparent, describeStart } from "./tracing.ts";
import type { Span } from "@opentelemetry/api";

/** An attempt that is written down, with its worst case reserved: the call may be made. */
export interface ClaimedAttempt {
  readonly loaded: JobForAttempt;
  /** The job as it stands since the claim. */
  readonly job: Job;
  readonly started: Extract<Effect, { type: "start_attempt" }>;
  readonly rate: Rate;
  readonly provider: Provider;
  /** Leave to make the call. */
  readonly pass: Pass;
  readonly request: ModelRequest;
  /** The database's clock, ms since the epoch. */
  readonly nowMs: () => number;
}

/** A message may come a little before its time, because the transport has a clock of its own. */
const EARLY_MAX_MS = 2_000;

/**
 * Decides whether the job's next attempt may start and commits the decision. Null when there is nothing to call: the
 * job went elsewhere or stopped (its next message is published), or somebody else was faster.
 */
export async function claimAttempt(
  context: WorkerContext,
  loaded: JobForAttempt,
  span: Span,
): Promise<ClaimedAttempt | null> {
  const nowMs = databaseClock(loaded.nowMs);
  const earlyMs = loaded.job.readyAtMs - nowMs();
  if (earlyMs > EARLY_MAX_MS) return null;
  if (earlyMs > 0) await delay(Math.ceil(earlyMs));

  const rates = ratesOf(context, await context.priceBook.rates(), loaded.job, nowMs());
  const admission = await askGate(context, loaded.job, rates);
  let claimed: ClaimedAttempt | null = null;
  try {
    claimed = await claimAs({ loaded, rates, admission, nowMs }, context, span);
  } finally {
    if (claimed === null && admission.pass !== null) await context.gate.giveBack(admission.pass);
  }
  return claimed;
}

interface Claiming {
  readonly loaded: JobForAttempt;
  readonly rates: ReadonlyMap<string, Rate>;
  readonly admission: Admission;
  readonly nowMs: () => number;
}

async function claimAs(claiming: Claiming, context: WorkerContext, span: Span): Promise<ClaimedAttempt | null> {
  const { loaded, rates, admission, nowMs } = claiming;
  const request = requestFor(loaded);
  const step = await decideClaim(claiming, context, request);
  if (step.kind !== "moved") return null;
  const { next, event, effects } = step;
  const started = effects.find((e) => e.type === "start_attempt");
  if (started !== undefined) describeStart(span, started);
  const transition = {
    before: loaded.job,
    next,
    event,
    effects,
    currency: loaded.version.currency,
    attemptTraceparent: started === undefined ? undefined : attemptTraceparent(span),
    holder: context.holder,
  };
  // Whether it is ours must be known for as long as it could be: nobody else calls for a job that has a holder.
  const patienceMs = started?.timeoutMs ?? MESSAGE_PATIENCE_MS;
  const won = await insistOnCommit(context, transition, performance.now() + patienceMs);
  if (!won) return null;
  if (started === undefined) {
    await publishNext(context.queues, next, nowMs(), loaded.traceparent, context.log);
    return null;
  }
  // The rate that the attempt was reserved at, even if another one begins in this very moment.
  const rate = rates.get(started.model);
  const provider = context.providers.get(started.provider);
  if (rate === undefined || provider === undefined) throw new Error(`${started.model} was claimed and has no price`);
  const { pass } = admission;
  if (pass === null) throw new Error(`${started.model} was claimed without leave to call it`);
  const { model, outputTokensMax } = started;
  return { loaded, job: next, started, rate, provider, pass, request: { ...request, model, outputTokensMax }, nowMs };
}

function requestFor(loaded: JobForAttempt): Omit<ModelRequest, "model" | "outputTokensMax"> {
  const { version, input, findings } = loaded;
  const { system, user } = renderPrompt(version.prompt, input, findings);
  return { system, user, outputSchema: version.outputSchema };
}

/** Decides by a cheap bound of the prompt's size; only where that does not fit the cap, by a count. */
async function decideClaim(
  { loaded, rates, admission, nowMs }: Claiming,
  context: WorkerContext,
  request: Omit<ModelRequest, "model" | "outputTokensMax">,
): Promise<Step> {
  const { job } = loaded;
  const { away, mustWait } = admission;
  const model = currentModel(job);
  const provider = context.providers.get(rates.get(model)?.provider ?? "");
  const asked = { ...request, model, outputTokensMax: job.progress.outputTokensMax };
  const claim = { type: "claim", attemptId: newId("att"), rates, away, mustWait } as const;
  const bound = provider?.inputTokensAtMost(asked) ?? 0;
  const circumstances = () => ({ nowMs: nowMs(), random: Math.random() });
  const step = decide(job, { ...claim, inputTokens: bound, exact: false }, circumstances());
  if (step.kind !== "count_tokens" || provider === undefined) return step;
  // Without a count nothing may be spent. When counting fails the message is dropped, and the sweeper tries again.
  const signal = AbortSignal.timeout(COUNT_TIMEOUT_MS);
  const counted = await provider.countInputTokens(asked, signal);
  return decide(job, { ...claim, inputTokens: counted, exact: true }, circumstances());
}

const COUNT_TIMEOUT_MS = 10_000;

/** The rates that hold now for the cascade's models, as far as a provider is there to call. */
function ratesOf(context: WorkerContext, book: readonly Rate[], job: Job, atMs: number): ReadonlyMap<string, Rate> {
  const rates = new Map<string, Rate>();
  for (const model of job.terms.cascade.flatMap((step) => step.models)) {
    const rate = rateAt(book, model, atMs);
    if (rate !== null && context.providers.has(rate.provider)) rates.set(model, rate);
  }
  return rates;
}
