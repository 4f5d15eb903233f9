/**
 * A whole pipeline in one process, as small as can be: a request, three queues, two metrics. For tests of tracing.
 * Environment: QUEUE_URL, and what telemetry reads.
 */
import { nanos } from "@contingent/core/money";
import { attemptQueue, type OutgoingMessage } from "@contingent/contracts/messages/catalog";
import { openQueues } from "@contingent/queue/queues";
import { OUTCOME } from "@contingent/runtime/attributes";
import { recordJobClosed, recordValidation } from "@contingent/runtime/metrics";
import { runService } from "@contingent/runtime/service";
import { traceparentOf, withSpan } from "@contingent/runtime/tracing";

const FAST = attemptQueue("fast");

await runService("relay", async (stack, service) => {
  const queues = await openQueues(service.env["QUEUE_URL"] ?? "", { log: service.log });
  stack.defer(() => queues.close());
  let jobTrace: string | null = null;
  let settled = 0;

  queues.consume(FAST, async ({ jobId, revision, traceparent }) => {
    await withSpan("attempt", { attributes: { [OUTCOME.attempt]: 1 } }, async () => {
      await queues.publish("validate", { jobId, revision: revision + 1, traceparent });
    });
  });
  queues.consume("validate", async ({ jobId, revision, traceparent }) => {
    recordValidation({ outcomeType: "demo", verdict: "pass", durationMs: 5 });
    await queues.publish("settle", { jobId, revision: revision + 1, traceparent });
  });
  queues.consume("settle", async () => {
    settled += 1;
    recordJobClosed({ outcomeType: "demo", resolution: "success", reason: "verified", price: nanos(20_000_000n) });
    service.log.info({ settled }, "settled");
  });

  const job: OutgoingMessage = { jobId: "job_relay01", revision: 1 };
  await withSpan("POST /v1/jobs", { parent: null }, async (span) => {
    jobTrace = traceparentOf(span);
    await queues.publish(FAST, { ...job, traceparent: jobTrace });
  });
  // A second trace sends a message of the first job: the job's trace goes on, and links to what caused it.
  await withSpan("sweep", { parent: null }, async () => {
    await queues.publish("settle", { ...job, revision: 9, traceparent: jobTrace });
  });
  service.listening(0);
});
