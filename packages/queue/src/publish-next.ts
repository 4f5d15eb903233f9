import { attemptQueue, type QueueName } from "@contingent/contracts/messages/catalog";
import type { Job } from "@contingent/core/job/job";
import { type Destination, nextMessage } from "@contingent/core/job/messages";
import type { Queues } from "./queues.ts";
import { describe, type QueueLog } from "./transport.ts";

/**
 * Publishes the message that a job's state calls for, right after its commit. A transport that is away is no error:
 * the state is the outbox, and the sweeper publishes from it.
 * @param traceparent the job's own trace context, for a publisher that has no span of its own
 * @param again beside the same message, which a consumer has taken up and may have lost
 */
export async function publishNext(
  queues: Pick<Queues, "publish">,
  job: Job,
  nowMs: number,
  traceparent: string | null,
  log: QueueLog,
  again = false,
): Promise<void> {
  const next = nextMessage(job, nowMs);
  if (next === null) return;
  const queue = queueOf(next.destination);
  try {
    const message = { jobId: job.id, revision: job.revision, traceparent };
    await queues.publish(queue, message, { delayMs: next.delayMs, turnAtMs: next.turnAtMs, again });
  } catch (error) {
    log.warn({ queue, job: job.id, error: describe(error) }, "not published; the sweeper will do it");
  }
}

export function queueOf(destination: Destination): QueueName {
  return destination.queue === "attempt" ? attemptQueue(destination.tier) : destination.queue;
}
