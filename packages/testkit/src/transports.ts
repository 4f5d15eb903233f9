import { Redis } from "ioredis";
import { describe } from "vitest";
import { truncateTables } from "./postgres.ts";
import { freshRedis } from "./redis.ts";
import { REDIS_URL } from "./servers.ts";
import { until } from "./until.ts";

/** What queue messages travel on. Nothing but latency may differ between them. */
export type TransportName = "postgres" | "redis";

/**
 * The same tests on both transports, at the same time: mostly they wait. Where a test run has no Redis its half is skipped,
 * and the run says so loudly; under CI the run does not start at all then.
 */
export function describeEachTransport(promise: string, body: (transport: TransportName) => void): void {
  const hasRedis = process.env[REDIS_URL] !== undefined;
  for (const transport of ["postgres", "redis"] as const) {
    const isThere = transport === "postgres" || hasRedis;
    describe.runIf(isThere).concurrent(`${promise} (on ${transport})`, () => {
      // They share what they open.
      describe("one after the other", { concurrent: false }, () => body(transport));
    });
  }
}

export interface TestQueue {
  /** The QUEUE_URL. */
  readonly url: string;
  /** Everything that the transport holds is gone, as after FLUSHALL, or a TRUNCATE of its tables. */
  lose(): Promise<void>;
  /** Cleans up. */
  drop(): Promise<void>;
}

/** A queue of its own for a system on this database, empty. */
export async function freshQueue(transport: TransportName, databaseUrl: string): Promise<TestQueue> {
  switch (transport) {
    case "postgres":
      return { url: databaseUrl, lose: () => loseAllMessagesAt(databaseUrl), drop: async () => undefined };
    case "redis": {
      const redis = await freshRedis();
      return { ...redis, lose: () => loseAllMessagesAt(redis.url) };
    }
  }
}

/** Everything that the transport at this QUEUE_URL holds is gone: all of a Redis database, or BullMQ's tables in Postgres. */
export async function loseAllMessagesAt(queueUrl: string): Promise<void> {
  if (queueUrl.startsWith("redis")) {
    const redis = new Redis(queueUrl, { maxRetriesPerRequest: null });
    await redis.flushdb();
    redis.disconnect();
    return;
  }
  // All but the table that says which schema they have. Whoever uses two of them just then may be in the way.
  await until(() => truncateTables(queueUrl, { schema: "bullmq", except: "%migration%" }).then(() => true), {
    what: "all messages to be lost",
  });
}
