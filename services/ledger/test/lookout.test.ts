/** Hazard: messages that are lost all at once, or were never sent, and jobs that wait for them one patience after the other. */
import { messageId } from "@contingent/contracts/messages/catalog";
import type { JobId } from "@contingent/core/ids";
import { type OpenPool, openPool } from "@contingent/db/pool";
import { openQueues, type Queues } from "@contingent/queue/queues";
import { createLog } from "@contingent/runtime/log";
import { acceptedJob, driveTo, partsOf } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { startTcpLink, type TcpLink } from "@contingent/testkit/tcp-link";
import { describeEachTransport, freshQueue, type TestQueue } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Lookout } from "../src/lookout.ts";

const FAST = "attempt.fast";
const WAITING_JOBS = 25;
const SOON = { timeoutMs: 20_000, intervalMs: 20 };

describeEachTransport("messages that are missing are published again at once", (transport) => {
  let database: TestDatabase;
  let queue: TestQueue;
  let link: TcpLink;
  let pool: OpenPool;
  let queues: Queues;
  let lookout: Lookout;
  let lines: string[];
  beforeEach(async () => {
    database = await freshDatabase();
    queue = await freshQueue(transport, database.url);
    const { hostname, port } = new URL(queue.url);
    link = await startTcpLink({ host: hostname, port: Number(port) });
    pool = openPool(database.url, { applicationName: "lookout-test" });
    lines = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLog({ service: "ledger", instance: "test", level: "info", destination });
    queues = await openQueues(link.through(queue.url), { log });
    lookout = new Lookout({ pool, versions: partsOf(pool).versions, queues, log });
  });
  afterEach(async () => {
    await lookout.close();
    await link.restore();
    await queues.close();
    await pool.end();
    await link.close();
    await queue.drop();
    await database.drop();
  });

  /** Looks until so many messages wait for workers. */
  async function lookUntilWaiting(count: number): Promise<void> {
    const arrived = async (): Promise<boolean> => {
      await lookout.look();
      return (await queues.depth(FAST)).waiting === count;
    };
    await until(arrived, { ...SOON, what: `${count} messages to wait` });
  }

  /** How often everything was published. */
  function rounds(): number {
    return lines.filter((line) => line.includes("published the messages of all jobs")).length;
  }

  async function untilRounds(count: number): Promise<void> {
    await until(() => rounds() === count, { ...SOON, what: `round ${count}` });
  }

  test("those of all open jobs, at the first look: nobody knows what happened before", async () => {
    const jobs = await Promise.all(Array.from({ length: WAITING_JOBS }, () => acceptedJob(pool)));
    for (const state of ["validating", "settling", "closed", "attempting"] as const) await driveTo(pool, state);
    await lookUntilWaiting(WAITING_JOBS);
    await untilRounds(1);
    for (const job of jobs) expect(await queues.exists(FAST, messageId({ jobId: job, revision: 1 }))).toBe(true);
    const counts = await Promise.all((["validate", "settle"] as const).map((name) => queues.depth(name)));
    expect(counts.map(({ waiting }) => waiting)).toEqual([1, 1]);
  });

  test("and again when the transport has forgotten everything, and not before", async () => {
    await lookout.look();
    await untilRounds(1);
    const jobs: JobId[] = await Promise.all(Array.from({ length: WAITING_JOBS }, () => acceptedJob(pool)));
    for (let look = 0; look < 3; look += 1) await lookout.look();
    expect(rounds()).toBe(1);
    expect((await queues.depth(FAST)).waiting).toBe(0);
    await queue.lose();
    await lookUntilWaiting(jobs.length);
    await untilRounds(2);
  });

  test("and when it was away, however short", async () => {
    await lookout.look();
    await untilRounds(1);
    const jobId = await acceptedJob(pool);
    await link.cut();
    await link.restore();
    await lookUntilWaiting(1);
    expect(await queues.exists(FAST, messageId({ jobId, revision: 1 }))).toBe(true);
  });

  test("and a second time after an outage, when a consumer has taken one up: it may have been cut off", async () => {
    const jobId = await acceptedJob(pool);
    await lookUntilWaiting(1);
    await untilRounds(1);
    const release = Promise.withResolvers<void>();
    const others = await openQueues(queue.url, { log: { warn: () => undefined, error: () => undefined } });
    const consumer = others.consume(FAST, () => release.promise, { concurrency: 1 });
    const id = messageId({ jobId, revision: 1 });
    await until(async () => (await queues.active(FAST)).has(id), { ...SOON, what: "the message to be taken up" });
    await link.cut();
    await link.restore();
    await lookUntilWaiting(1);
    expect(await queues.exists(FAST, `${id}-again`)).toBe(true);
    release.resolve();
    await consumer.close();
    await others.close();
  });

  test("an alarm is raised once while it fails, and taken back", async () => {
    const alarms = (): number => lines.filter((line) => line.includes("ALARM")).length;
    await link.cut();
    for (let look = 0; look < 2; look += 1) await lookout.look();
    expect(alarms()).toBe(1);
    await link.restore();
    const over = (): number => lines.filter((line) => line.includes("takes messages again")).length;
    const isOver = async (): Promise<boolean> => {
      await lookout.look();
      return over() > 0;
    };
    await until(isOver, { ...SOON, what: "the alarm to be taken back" });
    await lookout.look();
    expect([over(), alarms()]).toEqual([1, 1]);
  });
});
