import { messageId } from "@contingent/contracts/messages/catalog";
import { openQueues, type Queues } from "@contingent/queue/queues";
import { startTcpLink, type TcpLink } from "@contingent/testkit/tcp-link";
import { describeEachTransport, type TestQueue } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, it } from "vitest";
import { collectingLog, FAST, message, ownTransport } from "./open.ts";

const FAIL_FAST_MS = 4_000;
/** Well within a service's drain. */
const CLOSE_MAX_MS = 10_000;
const SOON = { timeoutMs: 15_000, intervalMs: 20 };

describeEachTransport("a transport that goes away", (transport) => {
  let own: TestQueue;
  let link: TcpLink;
  let queues: Queues;
  let url: string;

  beforeEach(async () => {
    own = await ownTransport(transport);
    const { hostname, port } = new URL(own.url);
    link = await startTcpLink({ host: hostname, port: Number(port) });
    url = link.through(own.url);
    queues = await openQueues(url, { log: collectingLog() });
  });
  afterEach(async () => {
    await link.restore();
    await queues.close();
    await link.close();
    await own.drop();
  });

  /** Publishes to a transport that is away. @returns how long the refusal took, ms */
  async function refusal(): Promise<number> {
    const startedAt = performance.now();
    await expect(queues.publish(FAST, message())).rejects.toThrow("did not take a message");
    return performance.now() - startedAt;
  }

  /** Publishes until the transport takes it. @returns how many messages it has then */
  async function publishAgain(): Promise<number> {
    await until(() => queues.publish(FAST, message()).then(() => true), SOON);
    return (await queues.depth(FAST)).waiting;
  }

  it("makes publishing fail fast, and publishing works again when it is back", async () => {
    await queues.publish(FAST, message());
    await link.cut();
    expect(await refusal()).toBeLessThan(FAIL_FAST_MS);
    await expect(queues.health()).rejects.toThrow("does not answer");
    await link.restore();
    expect(await publishAgain()).toBe(2);
    await expect(queues.health()).resolves.toBeUndefined();
  });

  it("makes publishing fail fast also on a queue that was never used before", async () => {
    await link.cut();
    expect(await refusal()).toBeLessThan(FAIL_FAST_MS);
    await link.restore();
    expect(await publishAgain()).toBe(1);
  });

  it("makes publishing fail fast also when it swallows what it is sent", async () => {
    await queues.publish(FAST, message());
    link.blackHole();
    expect(await refusal()).toBeLessThan(FAIL_FAST_MS);
    await link.restore();
    // The one that was refused may have arrived all the same.
    expect(await publishAgain()).toBeGreaterThanOrEqual(2);
  });

  it("consumers go on by themselves when it is back", async () => {
    const received: string[] = [];
    const consumer = queues.consume(FAST, async ({ jobId }) => {
      received.push(jobId);
    });
    await consumer.ready();
    const [before, after] = [message(), message()];
    await queues.publish(FAST, before);
    await until(() => received.length === 1, SOON);
    await link.cut();
    await refusal();
    await link.restore();
    await until(() => queues.publish(FAST, after).then(() => true), SOON);
    await until(async () => !(await queues.exists(FAST, messageId(after))), SOON);
    expect(received).toContain(after.jobId);
  });

  it("a consumer that was started while it is away begins when it is back", async () => {
    await link.cut();
    const received: string[] = [];
    const consumer = queues.consume(FAST, async ({ jobId }) => {
      received.push(jobId);
    });
    await refusal();
    await link.restore();
    await consumer.ready();
    const sent = message();
    await until(() => queues.publish(FAST, sent).then(() => true), SOON);
    await until(() => received.length > 0, SOON);
    expect(received).toEqual([sent.jobId]);
  });

  it.each(["cut", "blackHole"] as const)("does not keep a process from ending (%s)", async (how) => {
    const consumer = queues.consume(FAST, async () => undefined);
    await consumer.ready();
    await queues.publish("validate", message());
    await link[how]();
    await refusal();
    const startedAt = performance.now();
    await queues.close();
    expect(performance.now() - startedAt).toBeLessThan(CLOSE_MAX_MS);
  });

  it("does not keep a process from ending that has never reached it", async () => {
    await link.cut();
    queues.consume(FAST, async () => undefined);
    await refusal();
    const startedAt = performance.now();
    await queues.close();
    expect(performance.now() - startedAt).toBeLessThan(CLOSE_MAX_MS);
  });

  it("refuses to open, in one sentence that names the place and the variable", async () => {
    await link.cut();
    await expect(openQueues(url, { log: collectingLog() })).rejects.toThrow(/127\.0\.0\.1:\d+.*QUEUE_URL/);
  });
});
