/** The promises of the queues, kept by both transports. */
import { setTimeout as delay } from "node:timers/promises";
import { messageId, type JobMessage } from "@contingent/contracts/messages/catalog";
import { turnOf } from "@contingent/core/job/turn";
import { type Consumer } from "@contingent/queue/consumer";
import { describeEachTransport } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FAST, message, openTransport, type OpenTransport } from "./open.ts";

const SOON = { timeoutMs: 30_000, intervalMs: 5 };

describeEachTransport("queues", (transport) => {
  let opened: OpenTransport;
  beforeEach(async () => {
    opened = await openTransport(transport);
  });
  afterEach(async () => {
    await opened.close();
  });

  /** Consumes into a list. */
  async function collect(): Promise<{ received: JobMessage[]; consumer: Consumer }> {
    const received: JobMessage[] = [];
    const consumer = opened.queues.consume(FAST, async (got) => {
      received.push(got);
    });
    await consumer.ready();
    return { received, consumer };
  }

  /** Consumes with a handler that waits until it is released. */
  async function hold(concurrency?: number): Promise<{ started: string[]; release: () => void; consumer: Consumer }> {
    const started: string[] = [];
    const gate = Promise.withResolvers<void>();
    const consumer = opened.queues.consume(
      FAST,
      async (got) => {
        started.push(got.jobId);
        await gate.promise;
      },
      concurrency === undefined ? {} : { concurrency },
    );
    await consumer.ready();
    return { started, release: gate.resolve, consumer };
  }

  it("a published message reaches a consumer as it was, and then is gone", async () => {
    const { received } = await collect();
    const sent = { ...message(7), traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    await opened.queues.publish(FAST, sent);
    await until(() => received.length === 1, SOON);
    expect(received).toEqual([sent]);
    await until(async () => !(await opened.queues.exists(FAST, messageId(sent))), SOON);
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 0, delayed: 0, active: 0 });
  });

  it("queues do not see each other's messages", async () => {
    const { received } = await collect();
    await opened.queues.publish("validate", message());
    const mine = message();
    await opened.queues.publish(FAST, mine);
    await until(() => received.length === 1, SOON);
    expect(received[0]?.jobId).toBe(mine.jobId);
    expect((await opened.queues.depth("validate")).waiting).toBe(1);
  });

  it("a thousand messages that are published at once all arrive, each once", async () => {
    const { received } = await collect();
    const sent = Array.from({ length: 1_000 }, () => message());
    await Promise.all(sent.map((one) => opened.queues.publish(FAST, one)));
    await until(() => received.length >= sent.length, { ...SOON, timeoutMs: 30_000 });
    expect(received.map(({ jobId }) => jobId).toSorted()).toEqual(sent.map(({ jobId }) => jobId).toSorted());
  });

  it("a delayed message is not delivered before its time", async () => {
    const arrivals: number[] = [];
    const consumer = opened.queues.consume(FAST, async () => {
      arrivals.push(performance.now());
    });
    await consumer.ready();
    const publishedAt = performance.now();
    await opened.queues.publish(FAST, message(), { delayMs: 400 });
    expect((await opened.queues.depth(FAST)).delayed).toBe(1);
    await until(() => arrivals.length === 1, SOON);
    const waitedMs = (arrivals[0] ?? 0) - publishedAt;
    expect(waitedMs).toBeGreaterThanOrEqual(395);
    expect(waitedMs).toBeLessThan(3_000);
  });

  it("a delayed message that is hastened arrives at once, and any other is left as it is", async () => {
    const [delayed, later, waiting] = [message(), message(), message()];
    await opened.queues.publish(FAST, delayed, { delayMs: 60_000 });
    await opened.queues.publish(FAST, later, { delayMs: 60_000 });
    await opened.queues.publish(FAST, waiting);
    await opened.queues.hasten(FAST, [delayed, waiting, message()].map(messageId));
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 2, delayed: 1, active: 0 });
    const { received } = await collect();
    await until(() => received.length === 2, SOON);
    expect(new Set(received.map(({ jobId }) => jobId))).toEqual(new Set([delayed.jobId, waiting.jobId]));
    await opened.queues.hasten(FAST, [messageId(delayed)]);
  });

  it("publishing a message again while it waits, is delayed or is processed changes nothing", async () => {
    const [waiting, delayed] = [message(), message()];
    await opened.queues.publish(FAST, waiting);
    await opened.queues.publish(FAST, waiting);
    await opened.queues.publish(FAST, delayed, { delayMs: 60_000 });
    await opened.queues.publish(FAST, delayed);
    await Promise.all(Array.from({ length: 40 }, () => opened.queues.publish(FAST, waiting)));
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 1, delayed: 1, active: 0 });

    const held = await hold();
    await until(() => held.started.length === 1, SOON);
    await opened.queues.publish(FAST, waiting);
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 0, delayed: 1, active: 1 });
    held.release();
    await held.consumer.close();
    expect(held.started).toEqual([waiting.jobId]);
  });

  it("a message that was processed can be published again", async () => {
    const { received } = await collect();
    const sent = message();
    for (let round = 1; round <= 3; round += 1) {
      await opened.queues.publish(FAST, sent);
      await until(async () => !(await opened.queues.exists(FAST, messageId(sent))), SOON);
      expect(received.length).toBe(round);
    }
  });

  it("a message whose handler fails is logged and dropped, and can be published again", async () => {
    let calls = 0;
    const consumer = opened.queues.consume(FAST, async () => {
      calls += 1;
      if (calls === 1) throw new Error("the customer's text");
    });
    await consumer.ready();
    const sent = message();
    await opened.queues.publish(FAST, sent);
    await until(() => opened.lines.length === 1, SOON);
    expect(opened.lines[0]).toMatchObject({
      text: "message dropped: its handler failed",
      fields: { jobId: sent.jobId },
    });
    await until(async () => !(await opened.queues.exists(FAST, messageId(sent))), SOON);
    await opened.queues.publish(FAST, sent);
    await until(() => calls === 2, SOON);
  });

  it("no more messages run at once than the concurrency allows", async () => {
    const held = await hold(3);
    await Promise.all(Array.from({ length: 5 }, () => opened.queues.publish(FAST, message())));
    await until(() => held.started.length === 3, SOON);
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 2, delayed: 0, active: 3 });
    held.release();
    await until(() => held.started.length === 5, SOON);
  });

  it("closing a consumer lets its handler end, and leaves the other messages for others", async () => {
    const held = await hold(1);
    const [first, second] = [message(), message()];
    await opened.queues.publish(FAST, first);
    await opened.queues.publish(FAST, second);
    await until(() => held.started.length === 1, SOON);
    const closing = held.consumer.close();
    expect(await Promise.race([closing, delay(100, "still open")])).toBe("still open");
    held.release();
    await closing;
    expect(held.started).toEqual([first.jobId]);
    const { received } = await collect();
    await until(() => received.length === 1, SOON);
    expect(received[0]?.jobId).toBe(second.jobId);
  });

  it("a paused queue delivers nothing until the pause is over, and no pause shortens a longer one", async () => {
    const { received } = await collect();
    const pausedAt = performance.now();
    await opened.queues.pauseFor(FAST, 1_000);
    await opened.queues.pauseFor(FAST, 50);
    await opened.queues.publish(FAST, message());
    await opened.queues.publish("validate", message());
    await until(() => received.length === 1, SOON);
    expect(performance.now() - pausedAt).toBeGreaterThanOrEqual(990);
    await opened.queues.publish(FAST, message());
    await until(() => received.length === 2, SOON);
  });

  it("messages go in the order of their turns, whenever they were published, and one without a turn before them all", async () => {
    const now = Date.now();
    const [last, second, third, delayed, first] = [message(), message(), message(), message(), message()];
    await opened.queues.publish(FAST, last, { turnAtMs: now + 100_000 });
    await opened.queues.publish(FAST, second, { turnAtMs: now + 5_000 });
    // The same turn: in the order in which they came.
    await opened.queues.publish(FAST, third, { turnAtMs: now + 5_000 });
    await opened.queues.publish(FAST, delayed, { turnAtMs: now + 50_000, delayMs: 60_000 });
    await opened.queues.publish(FAST, first);
    expect(await opened.queues.depth(FAST)).toEqual({ waiting: 4, delayed: 1, active: 0 });
    await opened.queues.hasten(FAST, [messageId(delayed)]);
    const { started, release } = await hold(1);
    release();
    await until(() => started.length === 5, SOON);
    expect(started).toEqual([first, second, third, delayed, last].map(({ jobId }) => jobId));
  });

  it("beside one customer's backlog another's first message is taken as soon as anything is", async () => {
    const now = Date.now();
    const backlog = Array.from({ length: 200 }, () => message());
    const turns = backlog.map((_, open) => turnOf(now, open));
    await Promise.all(backlog.map((one, n) => opened.queues.publish(FAST, one, { turnAtMs: turns[n] ?? 0 })));
    const { started, release, consumer } = await hold(2);
    await until(() => started.length === 2, SOON);
    const other = message();
    await opened.queues.publish(FAST, other, { turnAtMs: turnOf(now, 0) });
    release();
    await until(() => started.length > 10, SOON);
    // Two were under way already, and a consumer asks for the next one before it has ended one.
    expect(started.indexOf(other.jobId)).toBeLessThan(5);
    await consumer.close();
  });

  it("a message that stands in the wrong place since priorities began again is put where its turn is", async () => {
    const now = Date.now();
    const monthMs = 30 * 24 * 60 * 60 * 1_000;
    const [other, overdue] = [message(), message()];
    await opened.queues.publish(FAST, other, { turnAtMs: now });
    await opened.queues.publish(FAST, overdue, { turnAtMs: now + 100_000 });
    await opened.queues.reorder(FAST, [
      { id: messageId(other), turnAtMs: now },
      { id: messageId(overdue), turnAtMs: now - monthMs },
      { id: messageId(message()), turnAtMs: now - monthMs },
    ]);
    const { started, release } = await hold(1);
    release();
    await until(() => started.length === 2, SOON);
    expect(started).toEqual([overdue.jobId, other.jobId]);
  });

  it("tells where some of the messages stand, the first one and nearly the last one among them", async () => {
    expect(await opened.queues.places(FAST)).toEqual([]);
    const now = Math.floor(Date.now() / 1_000) * 1_000;
    await opened.queues.publish(FAST, message());
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => opened.queues.publish(FAST, message(), { turnAtMs: now + n * 1_000 })),
    );
    const places = await opened.queues.places(FAST);
    // Behind the one that has no turn.
    expect(places).toEqual([0, 2, 8, 26, 80, 97].map((n) => ({ ahead: n + 1, turnAtMs: now + n * 1_000 })));
  });

  it("says which of many messages exist", async () => {
    const sent = Array.from({ length: 300 }, () => message());
    await Promise.all(sent.map((one) => opened.queues.publish(FAST, one)));
    const ids = sent.map(messageId);
    const found = await opened.queues.existing(FAST, [...ids, "job_never-1"]);
    expect([...found].toSorted()).toEqual(ids.toSorted());
  });

  it("a consumer that works, is full, or is paused makes progress", async () => {
    const held = await hold(1);
    await expect(held.consumer.checkProgress()).resolves.toBeUndefined();
    await opened.queues.publish(FAST, message());
    await opened.queues.publish(FAST, message());
    await until(() => held.started.length === 1, SOON);
    await expect(held.consumer.checkProgress()).resolves.toBeUndefined();
    await opened.queues.pauseFor(FAST, 300);
    held.release();
    await expect(held.consumer.checkProgress()).resolves.toBeUndefined();
  });

  it("answers a health check", async () => {
    await expect(opened.queues.health()).resolves.toBeUndefined();
  });
});
