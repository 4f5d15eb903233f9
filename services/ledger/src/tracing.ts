import type { Job } from "@contingent/core/job/job";
import { type Nanos, ZERO } from "@contingent/core/money";
import type { JobForSettlement } from "@contingent/db/load";
import { OUTCOME } from "@contingent/runtime/attributes";
import { recordJobClosed } from "@contingent/runtime/metrics";
import { withSpan } from "@contingent/runtime/tracing";
import { trace } from "@opentelemetry/api";

/** Runs a settlement inside its span. */
export function inSettlementSpan(loaded: JobForSettlement, work: () => Promise<void>): Promise<void> {
  const { job, customerId, version } = loaded;
  const attributes = {
    [OUTCOME.jobId]: job.id,
    [OUTCOME.customerId]: customerId,
    [OUTCOME.type]: version.name,
    [OUTCOME.typeVersion]: version.version,
  };
  return withSpan("settle", { attributes }, work);
}

/** Says on the active span, and counts, how a job was closed. */
export function recordClosed(loaded: JobForSettlement, closed: Job, charged: Nanos | null): void {
  const resolution = closed.resolution ?? "failure";
  const reason = closed.reason ?? "exhausted";
  const { known, presumed } = closed.cost;
  trace.getActiveSpan()?.setAttributes({
    [OUTCOME.resolution]: resolution,
    [OUTCOME.reason]: reason,
    [OUTCOME.billable]: charged !== null,
    [OUTCOME.priceNanos]: Number(charged ?? ZERO),
    [OUTCOME.costNanos]: Number(known) + Number(presumed),
  });
  recordJobClosed({ outcomeType: loaded.version.name, resolution, reason, price: charged ?? ZERO });
}
