import { describe } from "vitest";
import { freshRedis } from "./redis.ts";
import { REDIS_URL } from "./servers.ts";

/** What queue messages travel on. Nothing but latency may differ between them. */
export type TransportName = "postgres" | "redis";

/**
 * The same tests on both transports. Where a test run has no Redis its half is skipped, and the run says so loudly;
 * under CI the run does not start at all then.
 */
export function describeEachTransport(promise: string, body: (transport: TransportName) => void): void {
  describe(`${promise} (on postgres)`, () => {
    body("postgres");
  });
  const hasRedis = process.env[REDIS_URL] !== undefined;
  (hasRedis ? describe : describe.skip)(`${promise} (on redis)`, () => {
    body("redis");
  });
}

/** The QUEUE_URL of a transport for a system on this database, and how to clean up after it. */
export async function freshQueue(
  transport: TransportName,
  databaseUrl: string,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  switch (transport) {
    case "postgres":
      return { url: databaseUrl, drop: async () => undefined };
    case "redis":
      return await freshRedis();
  }
}
