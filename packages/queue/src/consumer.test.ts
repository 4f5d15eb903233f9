/** Hazard: a consumer that is made anew while it has not started yet, and then runs twice; one of the two outlives its end. */
import { expect, test, vi } from "vitest";
import { RestartingConsumer } from "./consumer.ts";
import type { BrokerWorker, Transport } from "./transport.ts";

const LOOK_INTERVAL_MS = 1;

class FakeWorker implements BrokerWorker {
  readonly #starting = Promise.withResolvers<void>();
  isRunning = false;

  constructor(startsAtOnce: boolean) {
    if (startsAtOnce) this.#starting.resolve();
  }

  waitUntilReady(): Promise<void> {
    return this.#starting.promise;
  }

  async run(): Promise<void> {
    this.isRunning = true;
  }

  on(): void {}

  async close(): Promise<void> {
    this.#starting.reject(new Error("closed before it was ready"));
    this.isRunning = false;
  }
}

test("a consumer whose first worker hangs at its start is replaced by one, which ends with it", async () => {
  const workers: FakeWorker[] = [];
  const transport = {
    openWorker: () => {
      const worker = new FakeWorker(workers.length > 0);
      workers.push(worker);
      return worker;
    },
  } as unknown as Transport;
  const log = { warn: () => undefined, error: () => undefined };
  const consumer = new RestartingConsumer({
    transport,
    queue: "settle",
    handler: async () => undefined,
    concurrency: 1,
    countWaiting: async () => 1,
    sendCanary: async () => undefined,
    log,
    patience: { provenMs: 0, waitingMs: 0, silentMs: 600_000 },
    lookIntervalMs: LOOK_INTERVAL_MS,
  });
  const firstStart = consumer.ready();
  await vi.waitFor(() => expect(workers[1]?.isRunning).toBe(true), { timeout: 10_000 });
  await firstStart;
  expect(workers).toHaveLength(2);
  await consumer.close();
  expect(workers.map(({ isRunning }) => isRunning)).toEqual([false, false]);
});
