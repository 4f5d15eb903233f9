/** A small cascade with round prices, and jobs that got into each state the way real ones do: by facts. Tests only. */
import type { Rate } from "../cost.ts";
import type { AttemptId, InquiryId, VerdictId } from "../ids.ts";
import { type Nanos, nanos, ZERO } from "../money.ts";
import { type CascadeStep, DISPUTE_WINDOW_DEFAULT_MS, type Terms } from "../outcome-type.ts";
import { newJob } from "./accept.ts";
import { decide } from "./decide.ts";
import type { Circumstances, Effect, Fact, FactType, Step } from "./facts.ts";
import type { Job, JobState, OpenInquiry } from "./job.ts";

export const BORN_MS = 1_700_000_000_000;
export const DEADLINE_MS = 120_000;
export const WINDOW_MS = 60_000;
export const FIRST: AttemptId = "att_0001";
export const OTHER: AttemptId = "att_9999";
export const VERDICT: VerdictId = "vrd_0001";
export const INQUIRY: InquiryId = "inq_0001";
export const REVIEWED: InquiryId = "inq_0002";

/** The moment so long after the job's birth. `random` 0.5 leaves every delay as it is: the jitter is nil in the middle. */
export function at(sinceBirthMs: number, random = 0.5): Circumstances {
  return { nowMs: BORN_MS + sinceBirthMs, random };
}

/** A price in nanos per token, where the real ones are per million. */
export function rate(model: string, input: bigint, output: bigint): Rate {
  const perMillion = 1_000_000n;
  const band = { promptTokensMax: null, cacheWrite5m: null, cacheWrite1h: null, cacheRead: null };
  return {
    model,
    provider: "anthropic",
    fromMs: 0,
    untilMs: null,
    bands: [{ ...band, input: input * perMillion, output: output * perMillion }],
    fast: null,
  };
}

export function ratesOf(...rates: readonly Rate[]): ReadonlyMap<string, Rate> {
  return new Map(rates.map((r) => [r.model, r]));
}

/** With 100 input tokens and 100 output tokens: 600 nanos for the small ones, 12,000 for medium, 24,000 for large. */
export const RATES = ratesOf(
  rate("small", 1n, 5n),
  rate("small-b", 1n, 5n),
  rate("medium", 20n, 100n),
  rate("large", 40n, 200n),
);

/** What one attempt with the default limits may cost at most. */
export const SMALL_NANOS = nanos(600n);
export const MEDIUM_NANOS = nanos(12_000n);

export function cascadeStep(
  tier: string,
  models: CascadeStep["models"],
  changes: Partial<CascadeStep> = {},
): CascadeStep {
  const retry = { initialDelayMs: 1_000, multiplier: 2, jitter: 0.2, delayMaxMs: 8_000 };
  return { tier, models, attemptsMax: 2, retry, timeoutMs: 30_000, timeNeededMs: 2_000, successAt: null, ...changes };
}

export const FAST = cascadeStep("fast", ["small", "small-b"]);
export const STANDARD = cascadeStep("standard", ["medium"]);
export const PREMIUM = cascadeStep("premium", ["large"], { attemptsMax: 1 });

export const WINDOW: Terms["acceptance"] = { mode: "window", durationMs: WINDOW_MS, onSilence: "accept" };

export function termsWith(changes: Partial<Terms> = {}): Terms {
  return {
    cascade: [FAST, STANDARD, PREMIUM],
    attemptsMax: 5,
    outputTokens: { start: 100, min: 10, max: 300 },
    costCap: nanos(1_000_000n),
    deadlineMs: DEADLINE_MS,
    successAt: 0.9,
    partialAt: 0.5,
    price: { shape: "tiered", amount: nanos(1_000n), bands: [{ fromScore: 0.5, fraction: 0.5 }] },
    validation: null,
    inquiryReserve: ZERO,
    acceptance: { mode: "automatic" },
    rework: false,
    disputeWindowMs: DISPUTE_WINDOW_DEFAULT_MS,
    ...changes,
  };
}

type FactOf<T extends FactType> = Extract<Fact, { type: T }>;

export function claimOf(changes: Partial<Omit<FactOf<"claim">, "type">> = {}): Fact {
  const call = { attemptId: FIRST, inputTokens: 100, exact: true };
  return { type: "claim", ...call, rates: RATES, away: new Set(), mustWait: false, ...changes };
}

export function answer(stop: FactOf<"answered">["stop"] = "end", cost = 400n, attemptId = FIRST): Fact {
  return { type: "answered", attemptId, cost: nanos(cost), stop };
}

export function failure(
  failure: FactOf<"call_failed">["failure"],
  changes: Partial<Omit<FactOf<"call_failed">, "type">> = {},
): Fact {
  const certainlyFree = { mayHaveBeenBilled: false, retryAfterMs: null };
  return { type: "call_failed", attemptId: FIRST, failure, ...certainlyFree, ...changes };
}

export function verdict(
  decision: FactOf<"judged">["decision"],
  score = 0.95,
  verdictId = VERDICT,
  cost: Nanos = ZERO,
): Fact {
  return { type: "judged", attemptId: FIRST, verdictId, decision, score, value: null, cost };
}

/** A judge that costs up to 300 nanos and has 10 seconds, at a leaf of the tree. */
export const JUDGE: OpenInquiry = {
  inquiryId: INQUIRY,
  kind: "leaf",
  leaf: "/all/1",
  validator: "llm_judge@1",
  asked: "model",
  reserve: nanos(300n),
  payee: { provider: "anthropic", name: "medium" },
};
export const JUDGE_MS = 10_000;

export function ask(inquiry: Partial<OpenInquiry> = {}, durationMs = JUDGE_MS): Fact {
  return { type: "inquired", attemptId: FIRST, inquiry: { ...JUDGE, ...inquiry }, durationMs };
}

export function reply(cost = 200n, changes: Partial<Omit<FactOf<"replied">, "type" | "cost">> = {}): Fact {
  return { type: "replied", attemptId: FIRST, inquiryId: INQUIRY, outcome: "replied", cost: nanos(cost), ...changes };
}

export function noReply(cost: bigint | null = null, inquiryId = INQUIRY): Fact {
  const known = cost === null ? null : nanos(cost);
  return { type: "unanswered", attemptId: FIRST, inquiryId, cost: known, reviewId: REVIEWED };
}

/** Whoever would be asked has no room for at least a second. */
export const BUSY: Fact = { type: "put_off", attemptId: FIRST, delayMs: 1_000 };

export const BROKE: Fact = { type: "validator_broke", attemptId: FIRST, reviewId: REVIEWED };

/** The process that judged has died. */
export const LOST: Fact = { type: "validator_lost", attemptId: FIRST, reviewId: REVIEWED };

export type Moved = Extract<Step, { kind: "moved" }>;

/** The step as a move; anything else fails the test with what it was. */
export function movedBy(step: Step): Moved {
  if (step.kind !== "moved") throw new Error(`nothing moved: ${JSON.stringify(step)}`);
  return step;
}

/** The job after facts that must all move it, each at the same moment. */
export function after(job: Job, now: Circumstances, ...facts: readonly Fact[]): Job {
  return facts.reduce((present, fact) => movedBy(decide(present, fact, now)).next, job);
}

export function queuedJob(terms: Terms = termsWith()): Job {
  return newJob("job_0001", terms, BORN_MS);
}

export function attemptingJob(terms?: Terms): Job {
  return after(queuedJob(terms), at(1_000), claimOf());
}

export function validatingJob(terms?: Terms): Job {
  return after(attemptingJob(terms), at(2_000), answer());
}

export function awaitingJob(terms: Terms = termsWith({ acceptance: WINDOW })): Job {
  return after(validatingJob(terms), at(3_000), verdict("pass"));
}

/** A job whose verdict waits for a judge. */
export function askingJob(terms?: Terms, inquiry?: Partial<OpenInquiry>): Job {
  return after(validatingJob(terms), at(3_000), ask(inquiry));
}

/** A job whose validators have broken too often, so that a person is to decide. */
export function reviewedJob(terms?: Terms): Job {
  return after(validatingJob(terms), at(3_000), BROKE, BROKE, BROKE);
}

/** A job that holds a partial outcome and is queued for another attempt at once. */
export function partialInHand(terms?: Terms, score = 0.6): Job {
  const job = after(validatingJob(terms), at(3_000), verdict("partial", score));
  return { ...job, readyAtMs: BORN_MS + 3_000 };
}

/** A job in each state, a few seconds old. */
export const JOBS: Readonly<Record<JobState, Job>> = {
  queued: queuedJob(),
  attempting: attemptingJob(),
  validating: validatingJob(),
  awaiting_acceptance: awaitingJob(),
  settling: after(validatingJob(), at(3_000), verdict("pass")),
  closed: after(validatingJob(), at(3_000), verdict("pass"), { type: "settled" }),
};

/** A step in one line, for tables: where the job stands, what is said of it, what is to be done. */
export function inWords(step: Step): string {
  if (step.kind === "count_tokens") return "count_tokens";
  if (step.kind === "ignored") return `ignored: ${step.because}`;
  const { next, event, effects } = step;
  const tier = next.terms.cascade[next.progress.step]?.tier ?? "?";
  const place = next.state === "queued" ? `queued ${tier}` : next.state;
  const end = next.state === "settling" ? ` ${next.resolution} ${next.reason}` : "";
  const cause = typeof event.data["cause"] === "string" ? ` ${event.data["cause"]}` : "";
  return [`${place}${end}`, `${event.type}${cause}`, ...effects.map(effectInWords)].join(" · ");
}

function effectInWords(effect: Effect): string {
  switch (effect.type) {
    case "start_attempt":
      return `start ${effect.model}`;
    case "end_attempt":
      return `end ${effect.outcome} ${effect.costState}`;
    case "pay_verdict":
      return `pay ${effect.provider}:${effect.name} ${effect.cost}`;
    case "open_inquiry":
      return `ask ${effect.asked} ${effect.leaf} ${effect.reserve}`;
    case "end_inquiry":
      return `${effect.outcome} ${effect.costState} ${effect.cost}`;
    case "pause_tier":
      return `pause ${effect.tier} ${effect.durationMs}`;
  }
}
