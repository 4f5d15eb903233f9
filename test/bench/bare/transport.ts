/** BullMQ as it comes, on either backend. */
import { createPostgresBackend, type ConnectionOptions, Queue, Worker } from "bullmq";

export const HOPS = ["call", "validate", "settle"] as const;
export type Hop = (typeof HOPS)[number];

const CONCURRENCY = 64;
const REMOVE = { removeOnComplete: true, removeOnFail: true } as const;

function isPostgres(url: string): boolean {
  return url.startsWith("postgres");
}

function postgres(url: string): { readonly connectionString: string; readonly schema: string; readonly migrate: true } {
  return { connectionString: url, schema: "bare", migrate: true };
}

function redis(url: string): ConnectionOptions {
  const { hostname: host, port, pathname } = new URL(url);
  return { host, port: Number(port), db: Number(pathname.slice(1)), maxRetriesPerRequest: null };
}

/** The queue of a hop, ready. */
export async function bareQueue(url: string, hop: Hop): Promise<Pick<Queue, "add" | "close">> {
  const queue = isPostgres(url)
    ? new Queue(`bare-${hop}`, { connection: postgres(url), defaultJobOptions: REMOVE }, createPostgresBackend)
    : new Queue(`bare-${hop}`, { connection: redis(url), defaultJobOptions: REMOVE });
  queue.on("error", () => undefined);
  await queue.waitUntilReady();
  return queue;
}

export function bareWorker<Data>(
  url: string,
  hop: Hop,
  handle: (data: Data) => Promise<void>,
): { waitUntilReady(): Promise<unknown> } {
  const options = { concurrency: CONCURRENCY, removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } };
  const process = (message: { readonly data: Data }): Promise<void> => handle(message.data);
  return isPostgres(url)
    ? new Worker(`bare-${hop}`, process, { ...options, connection: postgres(url) }, createPostgresBackend)
    : new Worker(`bare-${hop}`, process, { ...options, connection: redis(url) });
}
