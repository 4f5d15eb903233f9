/** Takes one message, says so, and never ends: for tests that kill it. Arguments: transport URL, queue. */
import { attemptQueue } from "@contingent/contracts/messages/catalog";
import { openQueues } from "@contingent/queue/queues";

const [url = "", tier = ""] = process.argv.slice(2);
const ignore = (): void => undefined;
const queues = await openQueues(url, { log: { warn: ignore, error: ignore } });
queues.consume(attemptQueue(tier), async ({ jobId }) => {
  process.stdout.write(`${jobId}\n`);
  await new Promise<never>(() => undefined);
});
