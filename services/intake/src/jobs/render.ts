/** A job's view as the API's JSON. What the models cost is shown to operators only. */
import type { JobEventBody } from "@contingent/contracts/http/jobs";
import type {
  AttemptBody,
  Expansion,
  JobBody,
  LeafBody,
  OperatorAttemptBody,
  OperatorJobBody,
  OperatorVerdictBody,
  VerdictBody,
} from "@contingent/contracts/http/job";
import type { JobId } from "@contingent/core/ids";
import { type Currency, formatMoney, type Nanos, subtract, ZERO } from "@contingent/core/money";
import type { LeafVerdict } from "@contingent/core/verdict";
import type { JobEventView } from "@contingent/db/job-views-events";
import type { AttemptView, JobView, VerdictView } from "@contingent/db/job-views";
import { traceIdOf } from "@contingent/runtime/tracing";
import type { Caller } from "../http/authenticate.ts";

export interface RenderOptions {
  readonly kind: Caller["kind"];
  readonly expand?: readonly Expansion[] | undefined;
}

export function renderJob(view: JobView, options: RenderOptions): JobBody | OperatorJobBody {
  return options.kind === "operator" ? operatorJob(view, options) : customerJob(view, options);
}

export function customerJob(view: JobView, { expand }: Pick<RenderOptions, "expand">): JobBody {
  const { currency, verdict, charge } = view;
  return {
    id: view.id,
    object: "job",
    outcome_type: view.outcomeType,
    outcome_type_version: view.version,
    outcome_key: view.outcomeKey,
    state: view.state,
    resolution: view.resolution,
    reason: view.reason,
    output: view.output,
    score: verdict?.score ?? null,
    findings: verdict === null ? [] : [...verdict.findings],
    attempts: view.attempts,
    tokens: { input: view.inputTokens, output: view.outputTokens },
    billable: charge !== null,
    price: charge === null ? null : money(charge.amount, currency),
    credited: charge === null ? null : money(charge.credited, currency),
    metadata: { ...view.metadata },
    ...(view.payloadDroppedAtMs === null ? {} : { payload_dropped_at: isoTime(view.payloadDroppedAtMs) }),
    created_at: isoTime(view.createdAtMs),
    deadline_at: isoTime(view.deadlineAtMs),
    settles_at: view.settlesAtMs === null ? null : isoTime(view.settlesAtMs),
    closed_at: view.closedAtMs === null ? null : isoTime(view.closedAtMs),
    trace_id: traceIdOf(view.traceparent),
    ...(view.redriveOf === null ? {} : { redrive_of: view.redriveOf }),
    ...(view.redrivenAs === null ? {} : { redriven_as: view.redrivenAs }),
    ...(expand?.includes("attempts") === true && view.attemptList !== null
      ? { attempt_list: view.attemptList.map(customerAttempt) }
      : {}),
    ...(expand?.includes("verdict") === true ? { verdict: verdict === null ? null : customerVerdict(verdict) } : {}),
    ...(expand?.includes("charge") === true ? { charge: charge === null ? null : renderCharge(charge, currency) } : {}),
  };
}

function operatorJob(view: JobView, options: RenderOptions): OperatorJobBody {
  const { currency, cost, attemptList } = view;
  const { attempt_list: _, verdict: __, ...job } = customerJob(view, options);
  const attempts = options.expand?.includes("attempts") === true ? attemptList : null;
  const kept = view.charge === null ? ZERO : subtract(view.charge.amount, view.charge.credited);
  return {
    ...job,
    customer_id: view.customerId,
    cost: money(cost, currency),
    margin: money(subtract(kept, cost), currency),
    ...(attempts === null ? {} : { attempt_list: attempts.map((a) => operatorAttempt(a, currency)) }),
    ...(options.expand?.includes("verdict") === true ? { verdict: operatorVerdict(view.verdict, currency) } : {}),
  };
}

function customerAttempt(attempt: AttemptView): AttemptBody {
  const { inputTokens: input, outputTokens: output, verdict } = attempt;
  return {
    id: attempt.id,
    number: attempt.number,
    tier: attempt.tier,
    model: attempt.model,
    outcome: attempt.outcome,
    tokens: input === null || output === null ? null : { input, output },
    started_at: isoTime(attempt.startedAtMs),
    ended_at: attempt.endedAtMs === null ? null : isoTime(attempt.endedAtMs),
    verdict:
      verdict === null ? null : { decision: verdict.decision, score: verdict.score, findings: [...verdict.findings] },
  };
}

function operatorAttempt(attempt: AttemptView, currency: Currency): OperatorAttemptBody {
  const verdict = operatorVerdict(attempt.verdict, currency);
  return { ...customerAttempt(attempt), cost: money(attempt.cost, currency), verdict };
}

function customerVerdict(verdict: VerdictView): VerdictBody {
  const { id, attemptId: attempt, decision, score, findings, validators } = verdict;
  return {
    id,
    attempt,
    decision,
    score,
    findings: [...findings],
    validators: [...validators],
    evidence_hash: named(verdict.evidenceHash),
    duration_ms: toMicrosecond(verdict.durationMs),
  };
}

function operatorVerdict(verdict: VerdictView | null, currency: Currency): OperatorVerdictBody | null {
  if (verdict === null) return null;
  return {
    ...customerVerdict(verdict),
    leaves: verdict.leaves?.map(renderLeaf) ?? null,
    features: { ...verdict.features },
    cost: money(verdict.cost, currency),
  };
}

export function renderLeaf({ leaf, validator, score, durationMs }: LeafVerdict): LeafBody {
  return { leaf, validator, score, duration_ms: toMicrosecond(durationMs) };
}

/** What a clock says below that is noise. */
function toMicrosecond(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}

function renderCharge(charge: NonNullable<JobView["charge"]>, currency: Currency): NonNullable<JobBody["charge"]> {
  return { ...money(charge.amount, currency), verdict: charge.verdictId, charged_at: isoTime(charge.atMs) };
}

export function renderEvent(job: JobId, event: JobEventView): JobEventBody {
  const { revision, type, atMs, data } = event;
  return { object: "event", job, revision, type, at: isoTime(atMs), data: { ...data } };
}

export function money(amount: Nanos, currency: Currency): { amount: string; currency: Currency } {
  return { amount: formatMoney(amount), currency };
}

/** A hash with the name of its algorithm. */
export function named(sha256Hex: string): string {
  return `sha256:${sha256Hex}`;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
