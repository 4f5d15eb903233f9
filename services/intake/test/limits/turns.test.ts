/** Hazard: a backlog that everybody's jobs are put behind, because the turn of a job does not get as far as its queue. */
import { attemptQueue } from "@contingent/contracts/messages/catalog";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { JOB, startApiWithType } from "../harness.ts";

const BACKLOG = 40;

test("another customer's first job is taken up before nearly all of a backlog that was there before", async () => {
  await using api = await startApiWithType();
  const backlog = Array.from({ length: BACKLOG }, () => JSON.stringify(JOB)).join("\n");
  const headers = { "content-type": "application/x-ndjson" };
  await api.customer.call({ method: "POST", path: "/v1/jobs/bulk", body: backlog, headers });
  const { id } = await api.otherCustomer.submit(JOB);
  const queue = attemptQueue("fast");
  const everything = async (): Promise<boolean> => (await api.queues.depth(queue)).waiting === BACKLOG + 1;
  await until(everything, { timeoutMs: 20_000, what: "every message to be published" });

  const taken: string[] = [];
  const consumer = api.queues.consume(queue, async ({ jobId }) => void taken.push(jobId), { concurrency: 1 });
  await consumer.ready();
  await until(() => taken.length > BACKLOG, { timeoutMs: 20_000, what: "every message to be taken" });
  // Before it come those whose turn had come when it was accepted: one for each second.
  expect(taken.indexOf(id)).toBeLessThan(BACKLOG / 2);
});
