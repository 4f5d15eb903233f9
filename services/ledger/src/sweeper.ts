/**
 * The slow path. Jobs whose wake-up has passed are looked at: what is overdue takes its next step (a lost lease, a
 * deadline, the end of an acceptance window), and what only waits has its message published again if the transport has
 * lost it. Any number of sweepers may run; each takes other jobs.
 */
import { setTimeout as delay } from "node:timers/promises";
import { decide } from "@contingent/core/job/decide";
import { type DueJob, takeDueJobs } from "@contingent/db/due";
import { publishNext } from "@contingent/queue/publish-next";
import { recordEndedAttempt } from "@contingent/runtime/metrics";
import type { LedgerContext } from "./context.ts";
import { publishMissing } from "./publish-missing.ts";

export interface SweeperOptions {
  /** Pause between rounds that found little. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

const JOBS_PER_ROUND_MAX = 500;

/** Sweeps until the signal aborts. A round that fails is logged; the next one tries again. */
export async function runSweeper(context: LedgerContext, { intervalMs, signal }: SweeperOptions): Promise<void> {
  while (!signal.aborted) {
    let taken = 0;
    try {
      taken = await sweepOnce(context);
    } catch (error) {
      context.log.warn({ error: error instanceof Error ? error.message : String(error) }, "sweep failed");
    }
    if (taken < JOBS_PER_ROUND_MAX) await delay(intervalMs, undefined, { signal }).catch(() => {});
  }
}

/** One round; returns how many jobs were due. */
async function sweepOnce(context: LedgerContext): Promise<number> {
  const due = await takeDueJobs(context.pool, context.versions, JOBS_PER_ROUND_MAX);
  if (due.length > 0) await wakeAll(context, due);
  return due.length;
}

type WakeContext = Pick<LedgerContext, "commit" | "queues" | "log">;

/** Takes the next steps of those that are overdue, and publishes what is missing of those that only wait. */
export async function wakeAll(context: WakeContext, due: readonly DueJob[]): Promise<void> {
  const waiting: DueJob[] = [];
  const failures: unknown[] = [];
  // One that cannot be woken holds up no other: it is taken again later, and later each time.
  for (const woken of await Promise.allSettled(due.map((job) => wake(context, job)))) {
    if (woken.status === "rejected") failures.push(woken.reason);
    else if (woken.value !== null) waiting.push(woken.value);
  }
  if (failures.length > 0) context.log.warn({ jobs: failures.length, err: failures[0] }, "due jobs could not be woken");
  await publishMissing(context, waiting);
}

/** Takes an overdue job's next step; returns a job that only waits. */
async function wake(context: WakeContext, due: DueJob): Promise<DueJob | null> {
  const { job, version, nowMs, traceparent } = due;
  const step = decide(job, { type: "woke" }, { nowMs, random: Math.random() });
  if (step.kind !== "moved") return due;
  const won = await context.commit({ ...step, before: job, currency: version.currency });
  if (!won) return null;
  recordEndedAttempt(job, step.effects);
  context.log.info({ job: job.id, from: job.state, to: step.next.state, event: step.event.type }, "overdue");
  await publishNext(context.queues, step.next, nowMs, traceparent, context.log);
  return null;
}
