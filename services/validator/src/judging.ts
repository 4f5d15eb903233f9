/** A job whose answer waits for a verdict, and the one way in which it moves on. */
import { decide } from "@contingent/core/job/decide";
import type { Fact } from "@contingent/core/job/facts";
import type { Job } from "@contingent/core/job/job";
import type { Transition } from "@contingent/db/commit";
import { insistOnCommit } from "@contingent/db/insist-on-commit";
import { type JobForValidation, MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import { publishNext } from "@contingent/queue/publish-next";
import type { Clock } from "@contingent/runtime/clock";
import { failpoint } from "@contingent/runtime/failpoints";
import type { ValidatorContext } from "./context.ts";

export interface Judging extends JobForValidation {
  readonly answer: NonNullable<JobForValidation["answer"]>;
  /** The database's clock, never behind: a verdict after the deadline must not be charged. */
  readonly clock: Clock;
}

/** What comes with a fact, to be written down with what follows from it. */
type Written = Pick<Transition, "verdict" | "reply" | "holder">;

/**
 * Decides what follows from a fact and commits it.
 * @param job as it stands, which may be further than it was loaded
 * @returns the job as it stands then; null: it has moved on meanwhile, and nothing was written
 */
export async function advance(
  context: ValidatorContext,
  { version, clock }: Judging,
  job: Job,
  fact: Fact,
  written: Written = {},
): Promise<Job | null> {
  const step = decide(job, fact, { nowMs: clock(), random: Math.random() });
  if (step.kind !== "moved") return null;
  const transition = { ...step, ...written, before: job, currency: version.currency };
  const won = await insistOnCommit(context, transition, performance.now() + MESSAGE_PATIENCE_MS);
  return won ? step.next : null;
}

/** There is no room to go on with the answer now: it waits, and that counts against nobody. */
export async function putOff(context: ValidatorContext, judging: Judging, delayMs: number): Promise<void> {
  const busy: Fact = { type: "put_off", attemptId: judging.answer.attemptId, delayMs };
  await announce(context, judging, await advance(context, judging, judging.job, busy));
}

/** Publishes the message that the job's state calls for, if it was this process that brought it there. */
export async function announce(context: ValidatorContext, judging: Judging, next: Job | null): Promise<void> {
  await failpoint("validator.committed");
  if (next === null) return;
  await publishNext(context.queues, next, judging.clock(), judging.traceparent, context.log);
}
