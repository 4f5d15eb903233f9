/** The fast path of a job's message. Losing one costs time only: the sweeper publishes what is missing. */
import { attemptQueue, type QueueName } from "@contingent/contracts/messages/catalog";
import { type Destination, nextMessage } from "@contingent/core/job/messages";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";
import type { Announced, IntakeContext } from "../context.ts";

export interface Announcer extends AsyncDisposable {
  readonly announce: IntakeContext["announce"];
}

/** Publishes without keeping the caller waiting; disposing of it waits for what is under way. */
export function announcer(queues: Pick<Queues, "publish">, log: Log): Announcer {
  const underWay = new Set<Promise<void>>();
  const publish = async ({ job, traceparent, nowMs }: Announced): Promise<void> => {
    const message = nextMessage(job, nowMs);
    if (message === null) return;
    const { id: jobId, revision } = job;
    try {
      await queues.publish(
        queueOf(message.destination),
        { jobId, revision, traceparent },
        { delayMs: message.delayMs },
      );
    } catch (error) {
      log.warn({ err: error, job: jobId, revision }, "message not published; the sweeper will do it");
    }
  };
  return {
    announce(job) {
      const publishing = publish(job).finally(() => underWay.delete(publishing));
      underWay.add(publishing);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(underWay);
    },
  };
}

function queueOf(destination: Destination): QueueName {
  return destination.queue === "attempt" ? attemptQueue(destination.tier) : destination.queue;
}
