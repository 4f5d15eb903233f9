/** Hazard: an answer that takes the process with it that judges it, again and again, and its neighbours each time. */
import { at, FIRST, validatingJob } from "@contingent/core/job/job.fixture";
import type { Job } from "@contingent/core/job/job";
import type { Transition } from "@contingent/db/commit";
import { expect, test } from "vitest";
import type { ValidatorContext } from "../context.ts";
import { validateHandler } from "./validate.ts";

const NOW = at(3_000);

/** A validator of these jobs, whose validators break; what it commits is held until it may. */
function validatorOf(
  jobs: readonly Job[],
  mayCommit: Promise<void> = Promise.resolve(),
): { readonly take: (job: Job, redelivered?: boolean) => Promise<void>; written: Transition[]; faults: unknown[] } {
  const written: Transition[] = [];
  const faults: unknown[] = [];
  const loaded = (id: string) => ({
    job: jobs.find((job) => job.id === id),
    version: { currency: "USD" },
    answer: { attemptId: FIRST, text: "" },
    nowMs: NOW.nowMs,
    askedAtMs: performance.now(),
    traceparent: null,
  });
  const context = {
    loader: { forValidation: async (id: string) => loaded(id) },
    commit: async (transition: Transition) => {
      written.push(transition);
      await mayCommit;
      return true;
    },
    pool: { query: async ({ values }: { values: unknown }) => faults.push(values) },
    queues: { publish: async () => undefined },
    run: () => {
      throw new Error("it was judged");
    },
    log: { error: () => undefined, warn: () => undefined },
  } as unknown as ValidatorContext;
  const handle = validateHandler(context);
  const { signal } = new AbortController();
  return {
    take: (job, redelivered = false) =>
      handle({ jobId: job.id, revision: job.revision, traceparent: null }, { redelivered, signal }),
    written,
    faults,
  };
}

function suspect(id: Job["id"]): Job {
  const job = validatingJob();
  return { ...job, id, progress: { ...job.progress, strikes: 1 } };
}

const causeOf = ({ event }: Transition): unknown => event.data["cause"];

test("an answer whose judge has died is not judged before that counts against it, and is written down", async () => {
  const job = validatingJob();
  const { take, written, faults } = validatorOf([job]);
  await take(job, true);
  expect(written).toHaveLength(1);
  expect(written[0]?.event).toMatchObject({ type: "job.waited", data: { cause: "validator_lost" } });
  expect(written[0]?.verdict).toBeUndefined();
  expect(written[0]?.next.progress.strikes).toBe(1);
  expect(faults).toEqual([[job.id, job.revision, FIRST, "validator_lost", "the process that judged it died"]]);
});

test("of answers that may have done it a process judges one at a time, so that it takes no other suspect with it; the others wait, which counts against nobody", async () => {
  const { promise: judged, resolve } = Promise.withResolvers<void>();
  const [first, second, third] = [suspect("job_first"), suspect("job_second"), suspect("job_third")];
  const innocent: Job = { ...validatingJob(), id: "job_innocent" };
  const { take, written } = validatorOf([first, second, third, innocent], judged);
  const taking = [take(first), take(second), take(innocent)];
  await expect.poll(() => written.length).toBe(3);
  const causes = new Map(written.map((transition) => [transition.before.id, causeOf(transition)]));
  expect(causes).toEqual(
    new Map([
      [first.id, "validator_error"],
      [second.id, "busy"],
      [innocent.id, "validator_error"],
    ]),
  );
  expect(written.find(({ before }) => before.id === second.id)?.next.progress.strikes).toBe(1);
  resolve();
  await Promise.all(taking);
  await take(third);
  expect(written.slice(3).map(causeOf)).toEqual(["validator_error"]);
});
