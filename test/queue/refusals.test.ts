import { openQueues } from "@contingent/queue/queues";
import { findRedis, startRedis } from "@contingent/testkit/redis";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { collectingLog } from "./open.ts";

describe("what queues refuse", () => {
  it.each(["mysql://localhost/x", "localhost:6379", ""])(
    "the URL %j is refused with the schemes that work",
    async (url) => {
      await expect(openQueues(url, { log: collectingLog() })).rejects.toThrow(
        /QUEUE_URL must start with postgres:\/\/, redis:\/\//,
      );
    },
  );

  it.skipIf(findRedis() === null)("a Redis that evicts keys is refused with the command that fixes it", async () => {
    const server = await startRedis();
    const admin = new Redis(server.url);
    try {
      await admin.config("SET", "maxmemory-policy", "allkeys-lru");
      await expect(openQueues(server.url, { log: collectingLog() })).rejects.toThrow(
        /"allkeys-lru".*redis-cli -h 127\.0\.0\.1 -p \d+ CONFIG SET maxmemory-policy noeviction$/,
      );
      await admin.config("SET", "maxmemory-policy", "noeviction");
      const queues = await openQueues(server.url, { log: collectingLog() });
      await queues.close();
    } finally {
      admin.disconnect();
      await server.stop();
    }
  });
});
