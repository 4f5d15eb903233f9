import { messageId } from "@contingent/contracts/messages/catalog";
import { nextMessage } from "@contingent/core/job/messages";
import type { DueJob } from "@contingent/db/due";
import { publishNext, queueOf } from "@contingent/queue/publish-next";
import type { LedgerContext } from "./context.ts";

/**
 * Publishes what the transport has lost, and hastens what is due and which it holds back all the same, by a clock of its own:
 * that of a process which is wrong, or one that is not the customer's. Asks first, so that a long backlog is
 * not published all over again. Puts right what stands in the wrong place (`Queues.reorder`).
 */
export async function publishMissing(
  context: Pick<LedgerContext, "queues" | "log">,
  waiting: readonly DueJob[],
): Promise<void> {
  const byQueue = Map.groupBy(waiting, ({ job, nowMs }) => {
    const next = nextMessage(job, nowMs);
    return next === null ? null : queueOf(next.destination);
  });
  for (const [queue, jobs] of byQueue) {
    if (queue === null) continue;
    const ids = jobs.map(({ job }) => messageId({ jobId: job.id, revision: job.revision }));
    const present = await context.queues.existing(queue, ids);
    const missing = jobs.filter((_, i) => !present.has(ids[i] ?? ""));
    await context.queues.reorder(
      queue,
      jobs.flatMap(({ job, nowMs }, i) => {
        const turnAtMs = nextMessage(job, nowMs)?.turnAtMs ?? null;
        const id = ids[i] ?? "";
        return turnAtMs === null || !present.has(id) ? [] : [{ id, turnAtMs }];
      }),
    );
    const due = ids.filter((id, i) => present.has(id) && isDue(jobs[i]));
    await context.queues.hasten(queue, due);
    if (missing.length > 0) context.log.warn({ queue, missing: missing.length }, "messages were missing");
    await Promise.all(
      missing.map(({ job, nowMs, traceparent }) => publishNext(context.queues, job, nowMs, traceparent, context.log)),
    );
  }
}

function isDue(due: DueJob | undefined): boolean {
  return due !== undefined && nextMessage(due.job, due.nowMs)?.delayMs === 0;
}
