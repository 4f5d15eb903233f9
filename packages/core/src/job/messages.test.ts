/** Hazard: a lost message. What should be on which queue can be told from the job alone. */
import { describe, expect, test } from "vitest";
import { after, answer, at, attemptingJob, BORN_MS, failure, JOBS, queuedJob } from "./job.fixture.ts";
import type { JobState } from "./job.ts";
import { JOB_STATES } from "./job.ts";
import { type Destination, nextMessage } from "./messages.ts";

const DESTINATIONS: Readonly<Record<JobState, Destination | null>> = {
  queued: { queue: "attempt", tier: "fast" },
  attempting: null,
  validating: { queue: "validate" },
  awaiting_acceptance: { queue: "settle" },
  settling: { queue: "settle" },
  closed: null,
};

describe("the message that should exist", () => {
  test.each(JOB_STATES)("for a job that is %s", (state) => {
    expect(nextMessage(JOBS[state], BORN_MS)?.destination ?? null).toEqual(DESTINATIONS[state]);
  });

  test("goes to the queue of the tier that the job has escalated to", () => {
    const job = after(attemptingJob(), at(2_000), failure("timeout"));
    expect(nextMessage(job, BORN_MS + 2_000)).toEqual({
      destination: { queue: "attempt", tier: "standard" },
      delayMs: 0,
      turnAtMs: BORN_MS,
    });
  });

  test("goes in the order of turns to whoever attempts or judges, and in the order of coming to whoever settles", () => {
    const turns = JOB_STATES.map((state) => nextMessage({ ...JOBS[state], turnAtMs: 7 }, BORN_MS)?.turnAtMs);
    expect(Object.fromEntries(JOB_STATES.map((state, n) => [state, turns[n]]))).toEqual({
      queued: 7,
      attempting: undefined,
      validating: 7,
      awaiting_acceptance: null,
      settling: null,
      closed: undefined,
    });
  });

  test("waits for what is left of the back-off, and not at all once that is over", () => {
    const job = after(attemptingJob(), at(2_000), answer("truncated"));
    const delays = [2_000, 2_400, 3_000, 90_000].map((ms) => nextMessage(job, BORN_MS + ms)?.delayMs);
    expect(delays).toEqual([1_000, 600, 0, 0]);
  });

  test("is due at once for a new job", () => {
    expect(nextMessage(queuedJob(), BORN_MS)?.delayMs).toBe(0);
  });
});
