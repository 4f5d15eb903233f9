/** Hazard: one job that cannot be woken, and hundreds that were taken with it and wait for nothing but their messages. */
import type { Job } from "@contingent/core/job/job";
import { BORN_MS, DEADLINE_MS, JOBS } from "@contingent/core/job/job.fixture";
import type { DueJob } from "@contingent/db/due";
import type { Queues } from "@contingent/queue/queues";
import { expect, test, vi } from "vitest";
import { wakeAll } from "./sweeper.ts";

function due(job: Job, nowMs: number): DueJob {
  return { job, version: { currency: "USD" }, traceparent: null, nowMs };
}

test("a job that cannot be woken holds up no other", async () => {
  const publish = vi.fn<Queues["publish"]>(async () => undefined);
  const queues = {
    existing: async () => new Set<string>(),
    reorder: async () => undefined,
    hasten: async () => undefined,
    publish,
  } as unknown as Queues;
  const warn = vi.fn<(fields: object, message: string) => void>();
  const commit = async (): Promise<never> => {
    throw new Error("refused");
  };
  const overdue = due(JOBS.attempting, BORN_MS + DEADLINE_MS);
  const waiting = due({ ...JOBS.queued, id: "job_0002" }, BORN_MS + 60_000);
  await wakeAll({ commit, queues, log: { warn } as never }, [overdue, waiting]);
  expect(publish.mock.calls).toMatchObject([["attempt.fast", { jobId: "job_0002" }, {}]]);
  expect(warn).toHaveBeenCalledWith(expect.objectContaining({ jobs: 1 }), "due jobs could not be woken");
});
