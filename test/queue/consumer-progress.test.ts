/** Hazard: a consumer that runs, is connected, and takes nothing. A queue in which nothing waits would hide it for days. */
import { CANARY_MESSAGE, contractOf, messageId } from "@contingent/contracts/messages/catalog";
import { RestartingConsumer } from "@contingent/queue/consumer";
import { connectPostgres } from "@contingent/queue/transport-postgres";
import { connectRedis } from "@contingent/queue/transport-redis";
import type { Delivery, Transport } from "@contingent/queue/transport";
import { optionsOf } from "@contingent/queue/publisher";
import { describeEachTransport } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, it } from "vitest";
import { collectingLog, FAST, openTransport, type OpenTransport } from "./open.ts";

/** A second for what takes minutes. */
const PATIENCE = { provenMs: 100, waitingMs: 1_000, silentMs: 600_000 };
const LOOK_INTERVAL_MS = 50;
const SOON = { timeoutMs: 20_000, intervalMs: 20 };

describeEachTransport("a consumer with nothing to do", (name) => {
  let opened: OpenTransport;
  let transport: Transport;
  let closing: (() => Promise<void>)[];
  beforeEach(async () => {
    opened = await openTransport(name);
    const connect = name === "redis" ? connectRedis : connectPostgres;
    transport = await connect(opened.url, collectingLog());
    closing = [() => transport.close(), () => opened.close()];
  });
  afterEach(async () => {
    for (const close of closing) await close();
  });

  /** @param on what its workers are opened on */
  function consumerOn(on: Transport, lines = collectingLog()): { consumer: RestartingConsumer; handled: string[] } {
    const queue = on.openQueue(FAST);
    const handled: string[] = [];
    const consumer = new RestartingConsumer({
      transport: on,
      queue: FAST,
      handler: async ({ jobId }) => void handled.push(jobId),
      concurrency: contractOf(FAST).concurrency,
      countWaiting: async () => (await queue.getJobCounts("waiting"))["waiting"] ?? 0,
      sendCanary: () =>
        queue.add("job", CANARY_MESSAGE, optionsOf(messageId(CANARY_MESSAGE), { delayMs: 0, priority: 0 })),
      log: lines,
      patience: PATIENCE,
      lookIntervalMs: LOOK_INTERVAL_MS,
    });
    closing.unshift(
      () => consumer.close(),
      () => queue.close(),
    );
    return { consumer, handled };
  }

  /** The transport, counting what its workers are handed. */
  function counting(deliveries: Delivery[]): Transport {
    return {
      ...transport,
      openWorker: (queue, process, concurrency) =>
        transport.openWorker(
          queue,
          async (delivery) => {
            deliveries.push(delivery);
            await process(delivery);
          },
          concurrency,
        ),
    };
  }

  /** The transport, whose first workers are connected and take nothing. */
  function wedged(workers: number): Transport {
    let made = 0;
    return {
      ...transport,
      openWorker: (queue, process, concurrency) => {
        made += 1;
        const worker = transport.openWorker(queue, process, concurrency);
        return made > workers
          ? worker
          : {
              waitUntilReady: () => worker.waitUntilReady(),
              run: () => new Promise<void>(() => undefined),
              on: (event, listener) => worker.on(event, listener),
              close: (force) => worker.close(force),
            };
      },
    };
  }

  it("takes a message of its own again and again, and no handler sees it", async () => {
    const deliveries: Delivery[] = [];
    const { consumer, handled } = consumerOn(counting(deliveries));
    await until(() => deliveries.length >= 3, { ...SOON, what: "three proofs" });
    await consumer.checkProgress();
    expect(handled).toEqual([]);
  });

  it("is not alive when it takes none, although nothing else waits", async () => {
    const lines = collectingLog();
    const { consumer } = consumerOn(wedged(2), lines);
    const isDead = (): Promise<boolean> =>
      consumer.checkProgress().then(
        () => false,
        () => true,
      );
    expect(await isDead()).toBe(false);
    await until(isDead, { ...SOON, what: "its liveness to fail" });
    expect(lines.lines.map(({ text }) => text)).toContain("ALARM: this consumer takes no messages");
  });

  it("is made anew, and alive again, where that helps", async () => {
    const lines = collectingLog();
    const { consumer } = consumerOn(wedged(1), lines);
    await until(() => lines.lines.some(({ text }) => text === "consumer made anew"), {
      ...SOON,
      what: "another worker",
    });
    await until(() => consumer.checkProgress().then(() => true), { ...SOON, what: "it to be alive" });
  });
});
