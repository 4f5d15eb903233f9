/** A verdict in the database: what is kept of it, and how it is written, with its job's next step or too late for one. */
import type { VerdictId } from "@contingent/core/ids";
import type { Effect } from "@contingent/core/job/facts";
import type { Json, JsonObject } from "@contingent/core/json";
import { type Nanos, ZERO } from "@contingent/core/money";
import type { Verdict } from "@contingent/core/verdict";
import type { Sealer } from "./payloads/payloads.ts";

/** A verdict as it is stored: with the evidence that it can be reached again from. */
export interface StoredVerdict extends Verdict {
  readonly id: VerdictId;
  readonly attemptId: string;
  /** SHA-256 over the input, the judged text and the validators. */
  readonly evidenceHash: string;
  /** The parsed answer; null when it was not JSON. */
  readonly output: Json;
  readonly durationMs: number;
  /** The number in the answer that its price depends on; null when there is none. */
  readonly value: Nanos | null;
  /** The numbers that the answer carries about itself, by name. */
  readonly features: Readonly<Record<string, number>>;
}

/** Writes the verdicts of `moved` (a FROM item with a job's `id` and its `verdict`, as `verdictRow` makes it). */
export const VERDICT_OF_MOVED = `INSERT INTO verdict (id, job_id, attempt_id, decision, score, findings, validators, evidence_hash, output, duration_ms, value_nanos,
                       cost_nanos, reserve_nanos, leaves, features, step)
  SELECT v.id, m.id, v.attempt_id, v.decision, v.score, v.findings, v.validators, v.evidence_hash, v.output, v.duration_ms, v.value,
         v.cost, v.reserve, v.leaves, v.features, v.step
    FROM moved m, jsonb_to_record(m.verdict) AS v (
      id text, attempt_id text, decision text, score float8, findings jsonb, validators jsonb, evidence_hash text,
      output jsonb, duration_ms float8, value bigint, cost bigint, reserve bigint, leaves jsonb, features jsonb, step int)
   WHERE m.verdict IS NOT NULL`;

/**
 * The verdict as the statement reads it.
 * @param step index of the step of the cascade that the judged answer was made on
 * @param effects among them what the verdict cost, where it did cost something
 */
export function verdictRow(
  verdict: StoredVerdict | undefined,
  step: number,
  effects: readonly Effect[],
  sealer: Sealer,
): JsonObject | null {
  if (verdict === undefined) return null;
  const paid = effects.find((e) => e.type === "pay_verdict");
  return {
    id: verdict.id,
    attempt_id: verdict.attemptId,
    decision: verdict.decision,
    score: verdict.score,
    findings: sealer.json(
      `findings ${verdict.id}`,
      verdict.findings.map((f) => ({ ...f })),
    ),
    validators: verdict.validators,
    evidence_hash: verdict.evidenceHash,
    output: sealer.json(`output ${verdict.id}`, verdict.output),
    duration_ms: verdict.durationMs,
    value: verdict.value?.toString() ?? null,
    cost: (paid?.cost ?? ZERO).toString(),
    reserve: (paid?.reserve ?? ZERO).toString(),
    leaves: verdict.leaves.map((leaf) => ({ ...leaf })),
    features: verdict.features,
    step,
  };
}
