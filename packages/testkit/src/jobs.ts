/**
 * Jobs for integration tests, brought into any state the way real ones get there: by facts that core decides upon and the
 * services' own statements commit. Only waiting is left out: what happens at the end of a back-off, a lease or a window is
 * decided as of that instant.
 */
import type { AttemptId, CustomerId, InquiryId, JobId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { decide } from "@contingent/core/job/decide";
import type { CallFailure, Fact } from "@contingent/core/job/facts";
import { type Job, type JobState, verdictCostMax } from "@contingent/core/job/job";
import { RATES, termsWith, WINDOW } from "@contingent/core/job/job.fixture";
import { type Nanos, nanos } from "@contingent/core/money";
import { type OutcomeTypeVersion, type QualityTerms, type Terms, UNMEASURED } from "@contingent/core/outcome-type";
import type { Decision } from "@contingent/core/verdict";
import { type Accept, type AcceptOptions, type NewJob, openAccept } from "@contingent/db/accept";
import type { AcceptanceDecision } from "@contingent/db/acceptance-decisions";
import { type AttemptAnswer, type Commit, openCommit, type Transition } from "@contingent/db/commit";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import type { InquiryReply } from "@contingent/db/inquiries";
import { type JobLoader, type JobForSettlement, jobLoader } from "@contingent/db/load";
import { publishVersion } from "@contingent/db/outcome-types-published";
import { type OutcomeTypeVersions, outcomeTypeVersions } from "@contingent/db/outcome-types";
import { type Payloads, PLAIN } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import type { StoredVerdict } from "@contingent/db/stored-verdict";
import { settlementEntries } from "@contingent/ledger/settle";

export interface JobOptions {
  /** What differs from the terms of core's fixture. */
  readonly terms?: Partial<Terms>;
  /** What is measured of its outcome type; nothing unless given. */
  readonly quality?: Partial<QualityTerms>;
  readonly customerId?: CustomerId;
  readonly outcomeKey?: string | null;
  readonly input?: Json;
}

/** Something that happens to a job, told once it is known how the job stands. */
export type TestStep = (job: Job) => Fact;

export const CUSTOMER: CustomerId = "cus_fixture";
/** The name of the outcome type that all of these jobs are of. */
export const OUTCOME_TYPE = "fixture";
/** The cost of an answer unless a test says otherwise: less than what core's fixture reserves for it. */
export const ANSWER_NANOS = nanos(400n);
/** The most that an inquiry costs unless a test says otherwise. */
export const INQUIRY_NANOS = 300n;
const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

/** Every job is accepted that there is money for. */
export const WITHOUT_LIMITS: AcceptOptions = { openJobsMax: Number.POSITIVE_INFINITY, loadOf: () => null };

/** What a service opens on a pool, once for each pool of a test. */
export interface Parts {
  readonly versions: OutcomeTypeVersions;
  readonly loader: JobLoader;
  readonly commit: Commit;
  readonly accept: Accept;
  readonly published: Map<string, Promise<OutcomeTypeVersion>>;
}

const opened = new WeakMap<Pool, Parts>();

/**
 * The loader, the commit and the rest on this pool; always the same ones for the same pool.
 * @param payloads how texts are stored; what is said first counts
 */
export function partsOf(pool: Pool, payloads: Payloads = PLAIN): Parts {
  const known = opened.get(pool);
  if (known !== undefined) return known;
  const versions = outcomeTypeVersions(pool);
  const parts: Parts = {
    versions,
    loader: jobLoader(pool, versions, { patienceMs: 0, payloads }),
    commit: openCommit(pool, payloads),
    accept: openAccept(pool, WITHOUT_LIMITS, payloads),
    published: new Map(),
  };
  opened.set(pool, parts);
  return parts;
}

/** A version of the outcome type with these terms, published once for each pool. */
export async function publishedTerms(
  pool: Pool,
  changes: Partial<Terms> = {},
  quality: Partial<QualityTerms> = {},
): Promise<OutcomeTypeVersion> {
  const { published } = partsOf(pool);
  const key = JSON.stringify([changes, quality], (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  const known = published.get(key);
  if (known !== undefined) return await known;
  const publishing = publish(pool, termsWith(changes), { ...UNMEASURED, ...quality });
  published.set(key, publishing);
  return await publishing;
}

async function publish(pool: Pool, terms: Terms, quality: QualityTerms): Promise<OutcomeTypeVersion> {
  const { id } = await publishVersion(
    pool,
    OUTCOME_TYPE,
    {},
    {
      description: "What integration tests sell.",
      currency: "USD",
      prompt: { system: "Answer.", user: "{{input}}" },
      inputSchema: {},
      outputSchema: {},
      validator: { all: [] },
      features: {},
      terms,
      quality,
      payloadRetentionDays: null,
    },
  );
  return await partsOf(pool).versions.get(id);
}

/** A job that has just been accepted: queued, its money held. */
export async function acceptedJob(pool: Pool, options: JobOptions = {}): Promise<JobId> {
  const job = await newJob(pool, options);
  const accepted = await partsOf(pool).accept(job);
  if (accepted === null) throw new Error(`the outcome ${job.outcomeKey ?? ""} has been bought before`);
  if (accepted.kind === "congested") throw new Error(`it cannot be accepted now: ${accepted.congestion.because}`);
  if (accepted.kind === "refused") throw new Error(`there is no money for it: ${accepted.shortage.because}`);
  return job.id;
}

/** A job that could be accepted: its customer is there, and its outcome type is on sale. */
export async function newJob(pool: Pool, options: JobOptions = {}): Promise<NewJob> {
  const customerId = options.customerId ?? CUSTOMER;
  await ensureCustomer(pool, { id: customerId, name: "Fixture" });
  return {
    id: newId("job"),
    customerId,
    version: await publishedTerms(pool, options.terms, options.quality),
    outcomeKey: options.outcomeKey ?? null,
    input: options.input ?? { text: "input" },
    metadata: {},
    traceparent: TRACEPARENT,
    idempotent: null,
  };
}

/** A job in this state, with one attempt behind it where the state has one. A closed one was delivered and charged. */
export async function driveTo(pool: Pool, state: JobState, options: JobOptions = {}): Promise<JobId> {
  const awaits = state === "awaiting_acceptance" ? { acceptance: WINDOW } : {};
  const id = await acceptedJob(pool, { ...options, terms: { ...awaits, ...options.terms } });
  await take(pool, id, ...PATHS[state]);
  return id;
}

/** Lets these things happen to the job, one after the other. Fails when one of them changes nothing. */
export async function take(pool: Pool, id: JobId, ...steps: readonly TestStep[]): Promise<Job> {
  for (const step of steps) {
    const transition = await transitionBy(pool, id, step);
    if (!(await partsOf(pool).commit(transition))) throw new Error(`${id} moved on before ${transition.event.type}`);
  }
  return (await loadedJob(pool, id)).job;
}

/** The job as it stands, with what its settlement needs. */
export async function loadedJob(pool: Pool, id: JobId): Promise<JobForSettlement> {
  const loaded = await partsOf(pool).loader.forSettlement(id);
  if (loaded === null) throw new Error(`there is no ${id}`);
  return loaded;
}

/** What a service would commit after this step, not committed yet: for tests of races. */
export async function transitionBy(pool: Pool, id: JobId, step: TestStep): Promise<Transition> {
  const loaded = await loadedJob(pool, id);
  const fact = step(loaded.job);
  const transition = transitionOf(loaded, fact, instantOf(fact, loaded));
  if (transition === null) throw new Error(`${fact.type} does not move a job that is ${loaded.job.state}`);
  return transition;
}

/** What a service would commit after this fact at this instant; null where it moves nothing. */
export function transitionOf(loaded: JobForSettlement, fact: Fact, nowMs: number): Transition | null {
  const { job } = loaded;
  const decided = decide(job, fact, { nowMs, random: 0.5 });
  if (decided.kind !== "moved") return null;
  const entries = decided.next.state === "closed" ? settlementEntries(loaded) : {};
  return {
    ...decided,
    ...entries,
    before: job,
    currency: loaded.version.currency,
    attemptTraceparent: TRACEPARENT,
    answer: answerOf(fact),
    verdict: verdictOf(fact),
    reply: replyOf(fact),
    decided: decisionOf(fact, job),
  };
}

/** What a customer's decision leaves behind, as intake writes it. */
function decisionOf(fact: Fact, { progress: { best } }: Job): AcceptanceDecision | undefined {
  if (best === null || (fact.type !== "accepted" && fact.type !== "rejected")) return undefined;
  const decision = fact.type === "accepted" ? "accept" : "reject";
  return { decision, reason: "It is not what was asked for.", decidedBy: "customer", verdictId: best.verdictId };
}

/** The end of what the job waits for, where the fact is about that; else now. */
function instantOf(fact: Fact, { job, nowMs }: JobForSettlement): number {
  switch (fact.type) {
    case "claim":
      return Math.max(nowMs, job.readyAtMs);
    case "woke":
      return Math.max(nowMs, wakesAtMs(job));
    default:
      return nowMs;
  }
}

function wakesAtMs(job: Job): number {
  if (job.state === "attempting") return job.wakeAtMs;
  return job.state === "awaiting_acceptance" ? job.readyAtMs : job.deadlineAtMs;
}

function answerOf(fact: Fact): AttemptAnswer | undefined {
  const none = { text: null, responseId: null, usage: null, inputTokens: null, outputTokens: null };
  if (fact.type === "call_failed") return { ...none, error: fact.failure };
  if (fact.type !== "answered") return undefined;
  const usage = { input_tokens: 100, output_tokens: 60 };
  return { text: '{"answer":42}', responseId: "msg_1", usage, inputTokens: 100, outputTokens: 60, error: null };
}

/** A verdict as the validator would store it, by what core is told of it. */
export function verdictOf(fact: Fact): StoredVerdict | undefined {
  if (fact.type !== "judged") return undefined;
  const { verdictId: id, attemptId, decision, score, value } = fact;
  const findings = decision === "pass" ? [] : [{ path: "/answer", code: "wrong", message: "It is not right." }];
  const validators = ["fixture@1"];
  return {
    id,
    attemptId,
    decision,
    score,
    findings,
    validators,
    leaves: [{ leaf: "", validator: "fixture@1", score, durationMs: 1 }],
    evidenceHash: "0",
    output: { answer: 42 },
    durationMs: 1,
    value,
    features: { confidence: 0.7 },
  };
}

function replyOf(fact: Fact): InquiryReply | undefined {
  if (fact.type !== "replied") return undefined;
  const detail = { reason: "It is right." };
  return { result: { score: 1, findings: [] }, detail, repliedBy: fact.outcome === "silence" ? null : "key_fixture" };
}

function currentAttempt(job: Job): AttemptId {
  if (job.progress.current === null) throw new Error(`${job.id} is ${job.state} and has no attempt under way`);
  return job.progress.current.attemptId;
}

/** A worker starts an attempt. */
export function claim(inputTokens = 100): TestStep {
  const call = { inputTokens, exact: true, rates: RATES, away: new Set<string>(), mustWait: false };
  return () => ({ type: "claim", attemptId: newId("att"), ...call });
}

/** The model answers, at this cost. */
export function answer(cost: bigint = ANSWER_NANOS, stop: "end" | "truncated" | "refused" = "end"): TestStep {
  return (job) => ({ type: "answered", attemptId: currentAttempt(job), cost: nanos(cost), stop });
}

/** The call fails. Where the provider may have billed it, its worst case counts as spent. */
export function callFails(failure: CallFailure, mayHaveBeenBilled = false): TestStep {
  return (job) => ({
    type: "call_failed",
    attemptId: currentAttempt(job),
    failure,
    mayHaveBeenBilled,
    retryAfterMs: null,
  });
}

const SCORES: Readonly<Record<Decision, number>> = { pass: 0.95, partial: 0.6, fail: 0.1 };

/** The validator reaches a verdict. The value is the number that the price depends on; the cost what the terms declare. */
export function judge(decision: Decision, score = SCORES[decision], value: Nanos | null = null): TestStep {
  return (job) => {
    const attemptId = currentAttempt(job);
    const cost = verdictCostMax(job);
    return { type: "judged", attemptId, verdictId: newId("vrd"), decision, score, value, cost };
  };
}

/** The validator itself breaks. */
export function validatorBreaks(): TestStep {
  return (job) => ({ type: "validator_broke", attemptId: currentAttempt(job), reviewId: newId("inq") });
}

/** Somebody is asked about the answer: a judge who costs up to this, or a person where it is nothing. */
export function inquires(reserve: bigint = INQUIRY_NANOS): TestStep {
  return (job) => {
    const asked = reserve === 0n ? "person" : "model";
    const payee = reserve === 0n ? null : { provider: "anthropic", name: "medium" };
    const said = { kind: "leaf", leaf: `/all/${job.revision}`, validator: "fixture@1", asked, payee } as const;
    const inquiry = { inquiryId: newId("inq"), ...said, reserve: nanos(reserve) };
    return { type: "inquired", attemptId: currentAttempt(job), inquiry, durationMs: 30_000 };
  };
}

/** Who was asked answers, at this cost. */
export function replies(cost: bigint = 0n, outcome: "replied" | "silence" = "replied"): TestStep {
  return (job) => ({ type: "replied", ...openInquiry(job), outcome, cost: nanos(cost) });
}

/** Who was asked never answers, at this cost; null: nobody knows at which. */
export function isUnanswered(cost: bigint | null = null): TestStep {
  return (job) => {
    const known = cost === null ? null : nanos(cost);
    return { type: "unanswered", ...openInquiry(job), cost: known, reviewId: newId("inq") };
  };
}

function openInquiry(job: Job): { readonly attemptId: AttemptId; readonly inquiryId: InquiryId } {
  if (job.progress.inquiry === null) throw new Error(`nobody is being asked about ${job.id}`);
  return { attemptId: currentAttempt(job), inquiryId: job.progress.inquiry.inquiryId };
}

/** The customer cancels, accepts or rejects; `woke`: what the job waits for is over; `settled`: it is booked. */
export function happens(type: "cancel" | "accepted" | "rejected" | "woke" | "settled"): TestStep {
  return () => ({ type });
}

const DELIVERED = [claim(), answer(), judge("pass")];

const PATHS: Readonly<Record<JobState, readonly TestStep[]>> = {
  queued: [],
  attempting: [claim()],
  validating: [claim(), answer()],
  awaiting_acceptance: DELIVERED,
  settling: DELIVERED,
  closed: [...DELIVERED, happens("settled")],
};
