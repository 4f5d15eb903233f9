/** Hazard: an answer that takes the process with it that judges it, again and again. */
import { at, FIRST, validatingJob } from "@contingent/core/job/job.fixture";
import type { Transition } from "@contingent/db/commit";
import { expect, test } from "vitest";
import type { ValidatorContext } from "../context.ts";
import { validateHandler } from "./validate.ts";

const NOW = at(3_000);

test("an answer whose judge has died is not judged before that counts against it, and is written down", async () => {
  const written: Transition[] = [];
  const faults: unknown[] = [];
  const job = validatingJob();
  const loaded = {
    job,
    version: { currency: "USD" },
    answer: { attemptId: FIRST, text: "" },
    nowMs: NOW.nowMs,
    askedAtMs: performance.now(),
    traceparent: null,
  };
  const context = {
    loader: { forValidation: async () => loaded },
    commit: async (transition: Transition) => written.push(transition) > 0,
    pool: { query: async ({ values }: { values: unknown }) => faults.push(values) },
    queues: { publish: async () => undefined },
    run: () => {
      throw new Error("it was judged");
    },
    log: { error: () => undefined, warn: () => undefined },
  } as unknown as ValidatorContext;
  const message = { jobId: job.id, revision: job.revision, traceparent: null };
  await validateHandler(context)(message, { redelivered: true, signal: new AbortController().signal });

  expect(written).toHaveLength(1);
  expect(written[0]?.event).toMatchObject({ type: "job.waited", data: { cause: "validator_lost" } });
  expect(written[0]?.verdict).toBeUndefined();
  expect(written[0]?.next.progress.strikes).toBe(1);
  expect(faults).toEqual([[job.id, job.revision, FIRST, "validator_lost", "the process that judged it died"]]);
});
