/**
 * The transport from outside, past the product's own code: to send what it never sends (the same message three times,
 * old revisions), to lose what it has sent, and to look at a queue's rest.
 */
import type { QueueName } from "@contingent/contracts/messages/catalog";
import type { System } from "@contingent/testkit/system";
import { loseAllMessagesAt } from "@contingent/testkit/transports";
import { createPostgresBackend, Queue } from "bullmq";
import { randomBytes } from "node:crypto";

/** The part of BullMQ's Queue that is the same on both backends. */
type OpenQueue = Pick<Queue, "add" | "getRateLimitTtl" | "getJobCounts" | "close">;

/** Runs the work with BullMQ's own view of a queue. */
async function withQueue<T>(system: System, name: QueueName, work: (queue: OpenQueue) => Promise<T>): Promise<T> {
  const queue = openQueue(system.queueUrl, name);
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

function openQueue(url: string, name: QueueName): OpenQueue {
  if (url.startsWith("redis")) {
    const queue = new Queue(name, { connection: { url, maxRetriesPerRequest: null }, prefix: `contingent:{${name}}` });
    queue.on("error", () => undefined);
    return queue;
  }
  const connection = { connectionString: url, schema: "bullmq", max: 2 };
  const queue = new Queue(name, { connection }, createPostgresBackend);
  queue.on("error", () => undefined);
  return queue;
}

/** For how much longer the queue rests, ms; 0 or less when it does not. */
export async function pausedForMs(system: System, name: QueueName): Promise<number> {
  return await withQueue(system, name, (queue) => queue.getRateLimitTtl());
}

/** Sends a message as many times, each under an id of its own, so that the transport cannot see that they are the same. */
export async function sendCopies(
  system: System,
  name: QueueName,
  message: { readonly jobId: string; readonly revision: number },
  copies: number,
): Promise<void> {
  await withQueue(system, name, async (queue) => {
    const opts = { removeOnComplete: true, removeOnFail: true };
    const data = { ...message, traceparent: null };
    await Promise.all(
      Array.from({ length: copies }, () =>
        queue.add("job", data, { ...opts, jobId: `copy-${randomBytes(6).toString("hex")}` }),
      ),
    );
  });
}

/** Sends messages of any form, each under an id of its own. */
export async function sendAsIs(system: System, name: QueueName, messages: readonly unknown[]): Promise<void> {
  await withQueue(system, name, async (queue) => {
    const opts = { removeOnComplete: true, removeOnFail: true };
    for (const message of messages) {
      await queue.add("job", message, { ...opts, jobId: `as-is-${randomBytes(6).toString("hex")}` });
    }
  });
}

/** How many messages wait in a queue. */
export async function waitingIn(system: System, name: QueueName): Promise<number> {
  const counts = await withQueue(system, name, (queue) => queue.getJobCounts("waiting", "prioritized"));
  return (counts["waiting"] ?? 0) + (counts["prioritized"] ?? 0);
}

/** Everything that the transport holds is gone, as after FLUSHALL, or a TRUNCATE of its tables. */
export async function loseAllMessages(system: System): Promise<void> {
  await loseAllMessagesAt(system.queueUrl);
}
