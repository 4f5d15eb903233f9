import { messageId, type QueueName } from "@contingent/contracts/messages/catalog";
import { nextMessage } from "@contingent/core/job/messages";
import { type DueJob, jobsThatWait } from "@contingent/db/due";
import { publishNext, queueOf } from "@contingent/queue/publish-next";
import type { LedgerContext } from "./context.ts";

type RepublishContext = Pick<LedgerContext, "pool" | "versions" | "queues" | "log">;

export interface RepublishOptions {
  /**
   * Consumers may have been cut off while they took messages up, which then belong to nobody until the transport notices
   * (10 to 15 s): those are published a second time, and who comes second finds the job moved on.
   */
  readonly wasInterrupted: boolean;
  readonly signal: AbortSignal;
}

/** Jobs whose messages are published together. */
const PAGE_JOBS = 1_000;

/**
 * Publishes the messages of all jobs that wait for one. Publishing what is there is a no-op, and takes less time than
 * asking for it first.
 * @returns how many jobs wait
 * @throws the signal's reason when it is aborted before all are published
 */
export async function republish(
  context: RepublishContext,
  { wasInterrupted, signal }: RepublishOptions,
): Promise<number> {
  const { pool, versions, queues } = context;
  const taken = new Map<QueueName, Promise<ReadonlySet<string>>>();
  const takenFrom = (queue: QueueName): Promise<ReadonlySet<string>> => {
    const known = taken.get(queue) ?? queues.active(queue);
    taken.set(queue, known);
    return known;
  };
  let jobs = 0;
  for await (const page of jobsThatWait(pool, versions, PAGE_JOBS)) {
    signal.throwIfAborted();
    await Promise.all(page.map((due) => publish(context, due, wasInterrupted ? takenFrom : null)));
    jobs += page.length;
  }
  return jobs;
}

async function publish(
  { queues, log }: RepublishContext,
  { job, nowMs, traceparent }: DueJob,
  takenFrom: ((queue: QueueName) => Promise<ReadonlySet<string>>) | null,
): Promise<void> {
  const next = nextMessage(job, nowMs);
  if (next === null) return;
  const taken = takenFrom === null ? null : await takenFrom(queueOf(next.destination));
  const again = taken?.has(messageId({ jobId: job.id, revision: job.revision })) === true;
  await publishNext(queues, job, nowMs, traceparent, log, again);
}
