/**
 * The transport from outside, past the product's own code: to send what it never sends (the same message three times,
 * old revisions), to lose what it has sent, and to look at a queue's rest.
 */
import type { QueueName } from "@contingent/contracts/messages/catalog";
import type { System } from "@contingent/testkit/system";
import { loseAllMessagesAt } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { createPostgresBackend, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { randomBytes } from "node:crypto";

/** The part of BullMQ's Queue that is the same on both backends. */
type OpenQueue = Pick<Queue, "add" | "getActive" | "getJob" | "getRateLimitTtl" | "getJobCounts" | "close">;

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
    const queue = new Queue(name, { connection: redisAt(url), prefix: prefixOf(name) });
    queue.on("error", () => undefined);
    return queue;
  }
  const queue = new Queue(name, { connection: postgresAt(url) }, createPostgresBackend);
  queue.on("error", () => undefined);
  return queue;
}

const redisAt = (url: string) => ({ url, maxRetriesPerRequest: null });
const postgresAt = (url: string) => ({ connectionString: url, schema: "bullmq", max: 2 });

/** Where the product keeps a queue in Redis. */
function prefixOf(name: QueueName): string {
  return `contingent:{${name}}`;
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

/** BullMQ marks what is taken at one look, and at the next one gives back what is still taken and has no lock any more. */
const LOOK_INTERVAL_MS = 20;

/**
 * The messages that consumers have taken up are given to others at once, as the transport does 10 to 15 s after their locks
 * were last renewed: whoever has them is dead, or stands still.
 */
export async function giveBack(system: System, name: QueueName): Promise<void> {
  const looker = openLooker(system.queueUrl, name);
  try {
    await withQueue(system, name, async (queue) => {
      const taken = (await queue.getActive()).flatMap(({ id }) => id ?? []);
      await endLocks(system, name, taken);
      await looker.startStalledCheckTimer();
      const wasGiven = async (id: string): Promise<boolean> => ((await queue.getJob(id))?.stalledCounter ?? 1) > 0;
      const timing = { timeoutMs: 15_000, intervalMs: 5, what: `${name} to give back what was taken` };
      await until(async () => (await Promise.all(taken.map(wasGiven))).every(Boolean), timing);
    });
  } finally {
    await looker.close(true);
  }
}

/** Takes no messages. */
function openLooker(url: string, name: QueueName): Pick<Worker, "startStalledCheckTimer" | "close"> {
  const options = { autorun: false, stalledInterval: LOOK_INTERVAL_MS, maxStalledCount: 1_000 };
  const looker = url.startsWith("redis")
    ? new Worker(name, null, { ...options, connection: redisAt(url), prefix: prefixOf(name) })
    : new Worker(name, null, { ...options, connection: postgresAt(url) }, createPostgresBackend);
  looker.on("error", () => undefined);
  return looker;
}

async function endLocks(system: System, name: QueueName, ids: readonly string[]): Promise<void> {
  if (!system.queueUrl.startsWith("redis")) {
    const text = "UPDATE bullmq.job SET locked_until_ms = 0 WHERE queue = $1 AND id = ANY ($2) AND state = 'active'";
    await system.pool.query({ text, values: [name, ids] });
    await system.pool.query({
      text: "DELETE FROM bullmq.meta WHERE queue = $1 AND field = 'stalled-check'",
      values: [name],
    });
    return;
  }
  const redis = new Redis(system.queueUrl, { maxRetriesPerRequest: null });
  const key = (of: string): string => `${prefixOf(name)}:${name}:${of}`;
  await redis.del(key("stalled-check"), ...ids.map((id) => key(`${id}:lock`)));
  redis.disconnect();
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
