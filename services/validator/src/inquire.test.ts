import { at, FIRST, validatingJob } from "@contingent/core/job/job.fixture";
import type { Transition } from "@contingent/db/commit";
import { inquiriesIn } from "@contingent/validators/leaves";
import { expect, test } from "vitest";
import { Asking } from "./asking.ts";
import type { ValidatorContext } from "./context.ts";
import { inquire } from "./inquire.ts";
import type { Judging } from "./judging.ts";

const NOW = at(3_000);

test("a job that finds no room with whom it asks waits a second or two: nothing is opened, held or counted", async () => {
  const written: Transition[] = [];
  const delays: unknown[] = [];
  const context = {
    commit: async (transition: Transition) => written.push(transition) > 0,
    queues: { publish: async (_queue: string, _message: unknown, options: unknown) => delays.push(options) },
    models: { providers: new Map(), priceBook: { rates: async () => [] }, service: () => ({}) },
    asking: new Asking({ error: () => undefined } as never, 0),
  } as unknown as ValidatorContext;
  const job = validatingJob();
  const answer = { attemptId: FIRST, producer: {} };
  const version = { name: "sums", version: 1, description: "", terms: job.terms, currency: "USD" };
  const judging = { job, version, answer, clock: () => NOW.nowMs } as unknown as Judging;
  const [leaf] = inquiriesIn({ use: "http", options: { url: "https://checks.example.com/", secret: "checks" } });
  if (leaf === undefined) throw new Error("nobody is asked");

  const subject = { input: {}, output: {}, outputSchema: {} };
  await inquire(context, judging, { kind: "inquire", leaf, subject, soFar: { leaves: [], findings: [] } });

  const [{ event, effects, next } = { event: null, effects: null, next: null }] = written;
  expect(event).toMatchObject({ type: "job.waited", data: { cause: "busy" } });
  expect(effects).toEqual([]);
  expect(next).toMatchObject({ state: "validating", cost: job.cost, progress: job.progress });
  const waitMs = (next?.readyAtMs ?? 0) - NOW.nowMs;
  expect(waitMs).toBeGreaterThanOrEqual(1_000);
  expect(waitMs).toBeLessThanOrEqual(2_000);
  expect([written.length, delays]).toEqual([1, [expect.objectContaining({ delayMs: waitMs })]]);
});
