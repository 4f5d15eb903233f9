/**
 * A job's life in the reference: one tier, three attempts. What matters here is when it is delivered, accepted, over, and
 * what its attempts cost; how a cascade is walked has tests of its own.
 */
import { ATTEMPTS_MAX, LEASE, type RefTerms, type RefPrice, type SoldType } from "./catalog.ts";

const INPUT_COST = 100n;
const OUTPUT_COST = 5n;
const OUTPUT_START = 100;
const OUTPUT_MAX = 300;
const STRIKES_MAX = 3;

export interface RefBest {
  readonly isWhole: boolean;
  readonly score: number;
  readonly value: bigint;
}

export interface RefAttempt {
  readonly reserve: bigint;
  state: "held" | "known" | "presumed";
  cost: bigint;
}

export interface RefCharge {
  readonly amount: bigint;
  readonly month: string;
  readonly day: string;
  /** Which charge of the run it is. */
  readonly order: number;
  /** From then on nobody can dispute it. */
  readonly safeAt: number;
  credited: bigint;
  /** What its statement took off it; null: that is not closed. */
  reduced: bigint | null;
}

export interface RefJob {
  readonly customer: number;
  readonly type: SoldType;
  readonly price: RefPrice;
  readonly terms: RefTerms | null;
  readonly hold: bigint;
  /** Which grants gave how much, in the order in which they are spent; null: on account. */
  readonly slices: readonly (readonly [number, bigint])[] | null;
  state: "queued" | "attempting" | "validating" | "awaiting_acceptance" | "settling" | "closed";
  revision: number;
  resolution: "success" | "partial" | "failure" | null;
  reason: string | null;
  deadline: number;
  /** End of the lease, or of the acceptance window. */
  until: number;
  tried: number;
  strikes: number;
  isReviewed: boolean;
  outputMax: number;
  best: RefBest | null;
  current: string | null;
  readonly attempts: Map<string, RefAttempt>;
  charge: RefCharge | null;
  /** The month in which the job was closed. */
  closedIn: string | null;
}

export function newRefJob(
  given: Pick<RefJob, "customer" | "type" | "price" | "terms" | "hold" | "slices">,
  now: number,
): RefJob {
  return {
    ...given,
    state: "queued",
    revision: 1,
    resolution: null,
    reason: null,
    deadline: now + given.type.deadline,
    until: 0,
    tried: 0,
    strikes: 0,
    isReviewed: false,
    outputMax: OUTPUT_START,
    best: null,
    current: null,
    attempts: new Map(),
    charge: null,
    closedIn: null,
  };
}

export type RefFact =
  | { readonly type: "claim"; readonly attempt: string }
  | { readonly type: "answered"; readonly stop: "end" | "truncated" | "refused"; readonly cost: bigint }
  | { readonly type: "timeout" }
  | { readonly type: "judged"; readonly verdict: RefBest | null }
  | { readonly type: "validator_broke" | "cancel" | "accepted" | "rejected" | "woke" };

/** What the job's transition costs the operator, to whom it is owed. */
export interface RefCost {
  readonly of: string;
  readonly amount: bigint;
}

/** Moves the job; null when the fact means nothing to it. Settling is money, and stands in reference.ts. */
export function moveRefJob(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  const costs = moved(job, fact, now);
  if (costs !== null) job.revision += 1;
  return costs;
}

function moved(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  switch (job.state) {
    case "queued":
      return fact.type === "claim" ? claimed(job, fact.attempt, now) : stopped(job, fact, now);
    case "attempting":
      if (fact.type === "answered") return answered(job, fact, now);
      return fact.type === "timeout" ? timedOut(job, now) : attemptOver(job, fact, now);
    case "validating":
      if (job.isReviewed) return reviewed(job, fact, now);
      if (fact.type === "judged") return judged(job, fact.verdict, now);
      return fact.type === "validator_broke" ? broke(job, now) : stopped(job, fact, now);
    case "awaiting_acceptance":
      return decided(job, fact, now);
    case "settling":
    case "closed":
      return null;
  }
}

/** While nobody has it in hand it may be canceled, and its deadline may pass. */
function stopped(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  if (fact.type === "cancel") return end(job, "canceled", now);
  return fact.type === "woke" && now >= job.deadline ? end(job, "deadline", now) : null;
}

function claimed(job: RefJob, attempt: string, now: number): readonly RefCost[] {
  if (now >= job.deadline) return end(job, "deadline", now);
  job.state = "attempting";
  job.until = Math.min(now + LEASE, job.deadline);
  job.current = attempt;
  job.attempts.set(attempt, { reserve: worst(job), state: "held", cost: 0n });
  return [];
}

function timedOut(job: RefJob, now: number): readonly RefCost[] {
  const costs = attemptEnds(job, "presumed");
  job.tried += 1;
  job.strikes = 0;
  end(job, now >= job.deadline ? "deadline" : "exhausted", now);
  return costs;
}

/** Its worker is not waited for any longer: what the call may have cost counts as spent. */
function attemptOver(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  if (fact.type === "cancel") {
    const costs = attemptEnds(job, "presumed");
    end(job, "canceled", now);
    return costs;
  }
  if (fact.type !== "woke" || now < job.until) return null;
  const costs = attemptEnds(job, "presumed");
  job.strikes += 1;
  if (now >= job.deadline) end(job, "deadline", now);
  else if (job.strikes < STRIKES_MAX) job.state = "queued";
  else {
    job.tried += 1;
    job.strikes = 0;
    end(job, "exhausted", now);
  }
  return costs;
}

function broke(job: RefJob, now: number): readonly RefCost[] {
  if (now >= job.deadline) return end(job, "deadline", now);
  job.strikes += 1;
  if (job.strikes >= STRIKES_MAX) job.isReviewed = true;
  return [];
}

/** The validator broke too often: a person is to decide, here always one who says nothing until the deadline. */
function reviewed(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  if (fact.type === "cancel") return end(job, "canceled", now);
  return fact.type === "woke" && now >= job.deadline ? end(job, "validator_error", now) : null;
}

/** The customer may decide until the window is over; then silence does. */
function decided(job: RefJob, fact: RefFact, now: number): readonly RefCost[] | null {
  const isOver = now >= job.until;
  const resolution = job.best?.isWhole === true ? "success" : "partial";
  if (fact.type === "woke" && isOver) {
    if (job.type.acceptance?.silenceAccepts !== true) return settle(job, "failure", "lapsed");
    return settle(job, resolution, "accepted_by_silence");
  }
  if (isOver) return null;
  if (fact.type === "accepted") return settle(job, resolution, "accepted");
  return fact.type === "rejected" ? rejected(job, now) : null;
}

function answered(job: RefJob, fact: Extract<RefFact, { type: "answered" }>, now: number): readonly RefCost[] {
  const costs = attemptEnds(job, "known", fact.cost);
  job.strikes = 0;
  if (fact.stop === "end") {
    job.state = "validating";
    return costs;
  }
  job.tried += 1;
  if (fact.stop === "refused") end(job, "refused", now);
  else {
    job.outputMax = Math.min(job.outputMax * 2, OUTPUT_MAX);
    again(job, now);
  }
  return costs;
}

function judged(job: RefJob, verdict: RefBest | null, now: number): readonly RefCost[] {
  const costs = job.type.judging === 0n ? [] : [{ of: "judges:court", amount: job.type.judging }];
  job.tried += 1;
  if (now >= job.deadline) {
    end(job, "deadline", now);
    return costs;
  }
  job.strikes = 0;
  if (verdict !== null && (job.best === null || verdict.isWhole || verdict.score > job.best.score)) job.best = verdict;
  if (verdict?.isWhole === true) deliver(job, now);
  else again(job, now);
  return costs;
}

function rejected(job: RefJob, now: number): readonly RefCost[] {
  if (!job.type.rework || job.tried >= ATTEMPTS_MAX) return settle(job, "failure", "rejected");
  job.state = "queued";
  job.resolution = null;
  job.best = null;
  job.strikes = 0;
  job.isReviewed = false;
  job.deadline = now + job.type.deadline;
  return [];
}

/** Another attempt while there are any; else the end. */
function again(job: RefJob, now: number): void {
  job.current = null;
  if (job.tried < ATTEMPTS_MAX) job.state = "queued";
  else end(job, "exhausted", now);
}

/** The work is over: what there is in part is delivered, unless nobody wants it. */
function end(job: RefJob, reason: string, now: number): readonly RefCost[] {
  job.current = null;
  if (job.best !== null && reason !== "canceled") deliver(job, now);
  else settle(job, "failure", reason);
  return [];
}

function deliver(job: RefJob, now: number): void {
  job.current = null;
  const resolution = job.best?.isWhole === true ? "success" : "partial";
  if (job.type.acceptance === null) settle(job, resolution, "verified");
  else {
    job.state = "awaiting_acceptance";
    job.resolution = resolution;
    job.until = now + job.type.acceptance.lasts;
  }
}

function settle(job: RefJob, resolution: "success" | "partial" | "failure", reason: string): readonly RefCost[] {
  job.state = "settling";
  job.resolution = resolution;
  job.reason = reason;
  return [];
}

function worst(job: RefJob): bigint {
  return INPUT_COST + BigInt(job.outputMax) * OUTPUT_COST;
}

function attemptEnds(job: RefJob, state: "known" | "presumed", reported = 0n): readonly RefCost[] {
  const attempt = job.current === null ? undefined : job.attempts.get(job.current);
  if (attempt === undefined) throw new Error("no attempt is under way");
  attempt.state = state;
  attempt.cost = state === "known" ? reported : attempt.reserve;
  if (state === "presumed") job.current = null;
  return attempt.cost === 0n ? [] : [{ of: "anthropic:small", amount: attempt.cost }];
}
