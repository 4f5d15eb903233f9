/** Hazard: a transport that hangs, and messages for it that pile up in a process until its memory is full. */
import { expect, test } from "vitest";
import { Publisher, WAITING_MAX } from "./publisher.ts";
import type { BrokerQueue, Transport } from "./transport.ts";

const placing = { delayMs: 0, priority: 0 };
const message = (n: number) =>
  ({ jobId: `job_${String(n).padStart(6, "0")}`, revision: 1, traceparent: null }) as const;

test("what a transport that hangs has not taken is bounded: more is refused at once, and left to the sweeper", async () => {
  const { promise: hanging, resolve: takes } = Promise.withResolvers<void>();
  const queue = { add: () => hanging, addBulk: () => hanging } as unknown as BrokerQueue;
  const publisher = new Publisher("settle", () => queue, { batchesInFlightMax: 1, bulkFrom: 1 } as Transport);
  const published = Array.from({ length: WAITING_MAX }, (_, n) => publisher.publish(message(n), placing));
  await expect(publisher.publish(message(WAITING_MAX), placing)).rejects.toThrow("the sweeper will publish it");
  takes();
  await Promise.all(published);
  await publisher.publish(message(WAITING_MAX), placing);
});
