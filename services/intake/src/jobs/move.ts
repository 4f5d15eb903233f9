/** What a request does to a job that others are working on: load, decide, commit; again when one of them was faster. */
import type { JobId } from "@contingent/core/ids";
import type { Transition } from "@contingent/db/commit";
import type { JobForSettlement } from "@contingent/db/load";
import { recordEndedAttempt } from "@contingent/runtime/metrics";
import type { IntakeContext } from "../context.ts";
import type { ApiError } from "../http/api-error.ts";

/** The job's next step, with what else is to be written in its transition. */
export type Movement = Pick<Transition, "next" | "event" | "effects" | "decided" | "reply">;

/** Each lost race means that the job has moved on; after a few moves it is nearly done anyway. */
const LOST_RACES_MAX = 10;

/**
 * Moves a job by one step and announces its next message.
 * @param decideOn the step from where the job stands; null: it has been taken before. Throws when it cannot be taken
 * @param tooLate what to say when others keep moving the job
 */
export async function moveJob(
  context: IntakeContext,
  id: JobId,
  decideOn: (loaded: JobForSettlement) => Promise<Movement | null>,
  tooLate: () => ApiError,
): Promise<void> {
  for (let lost = 0; lost < LOST_RACES_MAX; lost += 1) {
    const loaded = await context.loader.forSettlement(id);
    if (loaded === null) return;
    const { job: before, version, traceparent, nowMs } = loaded;
    const movement = await decideOn(loaded);
    if (movement === null) return;
    if (await context.commit({ ...movement, before, currency: version.currency })) {
      recordEndedAttempt(before, movement.effects);
      context.announce({ job: movement.next, traceparent, nowMs });
      return;
    }
  }
  throw tooLate();
}
