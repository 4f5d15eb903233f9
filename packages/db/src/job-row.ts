/** How a job stands in its row: the columns that every loading statement reads, and the way back to a `Job`. */
import type { JobId } from "@contingent/core/ids";
import type { Job, JobState, OpenInquiry, OutcomeInHand, Progress, Reason, Resolution } from "@contingent/core/job/job";
import { type Nanos, nanos } from "@contingent/core/money";
import type { CustomerTermsId, OutcomeTypeVersionId } from "@contingent/core/ids";
import type { Terms } from "@contingent/core/outcome-type";

/** Milliseconds since the epoch of a timestamptz expression. */
export function msOf(expression: string): string {
  return `(extract(epoch FROM ${expression}) * 1000)::float8`;
}

/** The columns of `job j` that make a `Job`; select them by this fragment, with what the customer's clock is ahead by. */
export const jobColumns = (clockOffset: string): string => `
  j.id, j.revision, j.state, j.resolution, j.reason, j.attempts, j.progress, j.traceparent,
  j.customer_id, j.outcome_type, j.outcome_key, j.outcome_type_version_id, j.customer_terms_id,
  j.cost_known_nanos, j.cost_presumed_nanos, j.cost_held_nanos, j.cost_overrun_nanos,
  ${msOf("j.deadline_at")} AS deadline_ms, ${msOf("j.turn_at")} AS turn_ms, ${msOf("j.ready_at")} AS ready_ms,
  ${msOf("j.wake_at")} AS wake_ms,
  ${msOf(`clock_timestamp() + ${clockOffset}`)} AS now_ms`;

export interface JobRow {
  readonly id: JobId;
  readonly revision: number;
  readonly state: JobState;
  readonly resolution: Resolution | null;
  readonly reason: Reason | null;
  readonly attempts: number;
  readonly progress: StoredProgress;
  readonly traceparent: string | null;
  readonly customer_id: `cus_${string}`;
  readonly outcome_type: string;
  readonly outcome_key: string | null;
  readonly outcome_type_version_id: OutcomeTypeVersionId;
  readonly customer_terms_id: CustomerTermsId | null;
  readonly cost_known_nanos: bigint;
  readonly cost_presumed_nanos: bigint;
  readonly cost_held_nanos: bigint;
  readonly cost_overrun_nanos: bigint;
  readonly deadline_ms: number;
  readonly turn_ms: number;
  readonly ready_ms: number;
  readonly wake_ms: number;
  readonly now_ms: number;
}

/** `Progress` as JSON: amounts are strings, because JSON numbers are doubles. */
export type StoredProgress = Omit<Progress, "current" | "inquiry" | "best" | "reworkedAfter"> & {
  readonly reworkedAfter?: number | null;
  readonly inquiry?: (Omit<OpenInquiry, "reserve"> & { readonly reserve: string }) | null;
  readonly current: (Omit<NonNullable<Progress["current"]>, "reserve"> & { readonly reserve: string }) | null;
  /** The value is missing in what was stored before there were prices that depend on one. */
  readonly best: (Omit<OutcomeInHand, "value"> & { readonly value?: string | null }) | null;
};

export function storedProgress(progress: Progress): StoredProgress {
  const { current, inquiry, best } = progress;
  return {
    ...progress,
    current: current === null ? null : { ...current, reserve: current.reserve.toString() },
    inquiry: inquiry === null ? null : { ...inquiry, reserve: inquiry.reserve.toString() },
    best: best === null ? null : { ...best, value: best.value?.toString() ?? null },
  };
}

function progressOf(stored: StoredProgress): Progress {
  const { current, best } = stored;
  // Not in rows from before there was rework, or inquiries.
  const { reworkedAfter = null, inquiry = null } = stored;
  return {
    ...stored,
    reworkedAfter,
    inquiry: inquiry === null ? null : { ...inquiry, reserve: nanos(BigInt(inquiry.reserve)) },
    current: current === null ? null : { ...current, reserve: nanos(BigInt(current.reserve)) },
    best: best === null ? null : { ...best, value: valueOf(best.value ?? null) },
  };
}

function valueOf(stored: string | null): Nanos | null {
  return stored === null ? null : nanos(BigInt(stored));
}

/** The job that a row and its pinned terms describe. */
export function jobOf(row: JobRow, terms: Terms): Job {
  return {
    id: row.id,
    revision: row.revision,
    state: row.state,
    resolution: row.resolution,
    reason: row.reason,
    terms,
    deadlineAtMs: row.deadline_ms,
    turnAtMs: row.turn_ms,
    readyAtMs: row.ready_ms,
    wakeAtMs: row.wake_ms,
    attempts: row.attempts,
    cost: {
      known: nanos(row.cost_known_nanos),
      presumed: nanos(row.cost_presumed_nanos),
      held: nanos(row.cost_held_nanos),
      overrun: nanos(row.cost_overrun_nanos),
    },
    progress: progressOf(row.progress),
  };
}
