/** Hazard: a message that stands in the wrong place of its queue, and a sweeper that only looks whether it is there. */
import { messageId } from "@contingent/contracts/messages/catalog";
import { BORN_MS, JOBS } from "@contingent/core/job/job.fixture";
import type { Job } from "@contingent/core/job/job";
import type { DueJob } from "@contingent/db/due";
import type { Queues } from "@contingent/queue/queues";
import { expect, test, vi } from "vitest";
import { publishMissing } from "./publish-missing.ts";

function due(job: Job): DueJob {
  return { job, version: { currency: "USD" }, traceparent: null, nowMs: BORN_MS + 60_000 };
}

test("what waits for an attempt is put where its turn is, what is missing is published there, and nothing else is touched", async () => {
  const waiting = { ...JOBS.queued, id: "job_0001" as const, turnAtMs: BORN_MS + 5_000 };
  const missing = { ...JOBS.queued, id: "job_0002" as const, turnAtMs: BORN_MS + 7_000 };
  const queues = {
    existing: vi.fn<Queues["existing"]>(
      async (_, ids) =>
        new Set(ids.filter((id) => id !== messageId({ jobId: missing.id, revision: missing.revision }))),
    ),
    reorder: vi.fn<Queues["reorder"]>(async () => undefined),
    hasten: vi.fn<Queues["hasten"]>(async () => undefined),
    publish: vi.fn<Queues["publish"]>(async () => undefined),
  };
  const log = { warn: () => undefined } as never;
  await publishMissing({ queues: queues as unknown as Queues, log }, [waiting, missing, JOBS.settling].map(due));
  const turn = { id: messageId({ jobId: waiting.id, revision: waiting.revision }), turnAtMs: waiting.turnAtMs };
  expect(queues.reorder.mock.calls).toEqual([
    ["attempt.fast", [turn]],
    ["settle", []],
  ]);
  expect(queues.publish.mock.calls).toMatchObject([
    ["attempt.fast", { jobId: missing.id }, { turnAtMs: missing.turnAtMs }],
  ]);
});
