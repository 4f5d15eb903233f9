/** One message of the settle queue: decode, load, decide, commit. Here a job's hold becomes a charge or nothing. */
import { decide } from "@contingent/core/job/decide";
import type { Fact } from "@contingent/core/job/facts";
import { insistOnCommit } from "@contingent/db/insist-on-commit";
import { type JobForSettlement, MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import { settlementEntries } from "@contingent/ledger/settle";
import type { Handler } from "@contingent/queue/consumer";
import { publishNext } from "@contingent/queue/publish-next";
import { recordDeadLetter } from "@contingent/runtime/metrics";
import { databaseClock } from "@contingent/runtime/clock";
import type { LedgerContext } from "../context.ts";
import { failpoint } from "@contingent/runtime/failpoints";
import { inSettlementSpan, recordClosed } from "../tracing.ts";

export function settleHandler(context: LedgerContext): Handler {
  return async (message) => {
    const loaded = await context.loader.forSettlement(message.jobId);
    if (loaded === null || loaded.job.revision !== message.revision) return;
    await inSettlementSpan(loaded, () => settle(context, loaded));
  };
}

async function settle(context: LedgerContext, loaded: JobForSettlement): Promise<void> {
  const { job, version } = loaded;
  const nowMs = databaseClock(loaded.nowMs);
  // A job that awaits acceptance is here because its window is over; the others are ready to be booked.
  const fact: Fact = job.state === "settling" ? { type: "settled" } : { type: "woke" };
  const step = decide(job, fact, { nowMs: nowMs(), random: Math.random() });
  if (step.kind !== "moved") return;
  await failpoint("ledger.decided");
  const entries = step.next.state === "closed" ? settlementEntries(loaded) : undefined;
  const transition = { ...step, ...entries, before: job, currency: version.currency };
  const won = await insistOnCommit(context, transition, performance.now() + MESSAGE_PATIENCE_MS);
  await failpoint("ledger.committed");
  if (!won) return;
  if (entries !== undefined) recordClosed(loaded, step.next, entries.settled.charge?.price ?? null);
  await publishNext(context.queues, step.next, nowMs(), loaded.traceparent, context.log);
  if (step.next.state === "closed" && step.next.resolution === "failure") await announceDeath(context, loaded);
}

/** A job that the system could not finish is for people to look at. The dead letter is written with the job's end already. */
async function announceDeath({ deathCause, log }: LedgerContext, { job, version }: JobForSettlement): Promise<void> {
  const cause = await deathCause(job.id);
  if (cause === null) return;
  recordDeadLetter({ outcomeType: version.name, cause });
  log.error({ job: job.id, outcome_type: version.name, cause }, "dead letter");
}
