/** The gate before the models: what a claim is told of them, and what they are told of a call. */
import { outcomeOf } from "@contingent/core/breaker/outcome";
import type { Rate } from "@contingent/core/cost";
import type { Fact } from "@contingent/core/job/facts";
import { comesBack, currentModel, currentStep, type Job } from "@contingent/core/job/job";
import { LEASE_GRACE_MS } from "@contingent/core/job/moves";
import { ZERO } from "@contingent/core/money";
import type { Pass } from "@contingent/db/model-gate";
import type { CallResult } from "@contingent/providers/provider";
import type { ClaimedAttempt } from "./claim-attempt.ts";
import type { WorkerContext } from "./context.ts";

export interface Admission extends Pick<Extract<Fact, { type: "claim" }>, "away" | "mustWait"> {
  /** Leave to call the job's model; null: there is none. Whoever does not use it gives it back. */
  readonly pass: Pass | null;
}

/** Asks for leave to call the model that the job is to use, and which of the cascade's other ones are away. */
export async function askGate({ gate }: WorkerContext, job: Job, rates: ReadonlyMap<string, Rate>): Promise<Admission> {
  const model = currentModel(job);
  const others = [...rates.values()].filter((rate) => rate.model !== model);
  const away = await gate.awayAmong(others);
  const rate = rates.get(model);
  if (rate === undefined) return { away, mustWait: false, pass: null };
  const durationMs = currentStep(job).timeoutMs + LEASE_GRACE_MS;
  const entry = await gate.enter({ provider: rate.provider, model }, { comesBack: comesBack(job), durationMs });
  switch (entry.kind) {
    case "pass":
      return { away, mustWait: false, pass: entry.pass };
    case "wait":
      return { away, mustWait: true, pass: null };
    case "away":
      return { away: new Set([...away, model]), mustWait: false, pass: null };
  }
}

/** @param fact what the job is told of the call, its cost included */
export async function reportCall(
  { gate }: WorkerContext,
  { pass, started, job }: ClaimedAttempt,
  result: CallResult,
  fact: Fact,
): Promise<void> {
  const mayHaveBeenBilled = result.kind === "answered" || result.mayHaveBeenBilled;
  const cutShort = started.timeoutMs < currentStep(job).timeoutMs;
  const cost = fact.type === "answered" ? fact.cost : mayHaveBeenBilled ? started.reserve : ZERO;
  await gate.report(pass, outcomeOf({ kind: result.kind, mayHaveBeenBilled, cutShort }), cost);
}
