/** What the tests of the transports share. */
import { openQueues, type Queues } from "@contingent/queue/queues";
import { attemptQueue, type OutgoingMessage } from "@contingent/contracts/messages/catalog";
import { emptyDatabase } from "@contingent/testkit/postgres";
import { freshQueue, type TestQueue, type TransportName } from "@contingent/testkit/transports";

export const FAST = attemptQueue("fast");

export interface LogLine {
  readonly fields: object;
  readonly text: string;
}

/** Collects what is logged, so that a test can assert on it and an unexpected line does not vanish. */
export function collectingLog(): {
  lines: LogLine[];
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
} {
  const lines: LogLine[] = [];
  const write = (fields: object, text: string): void => {
    lines.push({ fields, text });
  };
  return { lines, warn: write, error: write };
}

export interface OpenTransport {
  readonly url: string;
  readonly queues: Queues;
  readonly lines: readonly LogLine[];
  close(): Promise<void>;
}

/** A transport for messages alone, on a server of this test run. */
export async function ownTransport(transport: TransportName): Promise<TestQueue> {
  if (transport === "redis") return await freshQueue(transport, "");
  const database = await emptyDatabase();
  return { ...(await freshQueue(transport, database.url)), drop: () => database.drop() };
}

/**
 * Queues on a transport of their own. Nobody else's: where a machine is slow, a consumer is given up that has not closed in
 * time, and it would take the messages of the next test.
 */
export async function openTransport(transport: TransportName): Promise<OpenTransport> {
  const own = await ownTransport(transport);
  const log = collectingLog();
  const queues = await openQueues(own.url, { log });
  return {
    url: own.url,
    queues,
    lines: log.lines,
    async close() {
      await queues.close();
      await own.drop();
    },
  };
}

let made = 0;

export function message(revision = 1): OutgoingMessage {
  made += 1;
  return { jobId: `job_test${made.toString().padStart(6, "0")}`, revision };
}
