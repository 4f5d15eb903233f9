/**
 * Hazard: the database cuts connections at any moment of their life, also just after it has accepted them. An error of a
 * connection that nobody listens to ends the process; here it would end the test run.
 */
import { emptyDatabase, serverUrl, type TestDatabase } from "@contingent/testkit/postgres";
import { openQueues, type Queues } from "@contingent/queue/queues";
import { until } from "@contingent/testkit/until";
import pg from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { collectingLog, FAST, message } from "./open.ts";

const CUTTING_MS = 4_000;
const CONSUMERS = 4;
const SOON = { timeoutMs: 20_000, intervalMs: 50 };

let database: TestDatabase;
let queues: Queues;
let server: pg.Client;

beforeEach(async () => {
  database = await emptyDatabase();
  queues = await openQueues(database.url, { log: collectingLog() });
  server = new pg.Client({ connectionString: serverUrl() });
  await server.connect();
});
afterEach(async () => {
  await queues.close();
  await server.end();
  await database.drop();
});

it("consumers and publishers outlive that all their connections are cut, again and again, and work afterwards", async () => {
  const handled = new Set<string>();
  const consumers = Array.from({ length: CONSUMERS }, () =>
    queues.consume(FAST, async ({ jobId }) => void handled.add(jobId)),
  );
  await Promise.all(consumers.map((consumer) => consumer.ready()));
  const untilMs = performance.now() + CUTTING_MS;
  let cuts = 0;
  while (performance.now() < untilMs) {
    void queues.publish(FAST, message()).catch(() => undefined);
    const { rowCount } = await server.query({
      text: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
      values: [new URL(database.url).pathname.slice(1)],
    });
    cuts += rowCount ?? 0;
  }
  expect(cuts).toBeGreaterThan(CONSUMERS);

  const afterwards = Array.from({ length: 10 }, () => message());
  for (const each of afterwards) await until(() => queues.publish(FAST, each).then(() => true), SOON);
  await until(() => afterwards.every(({ jobId }) => handled.has(jobId)), SOON);
});
