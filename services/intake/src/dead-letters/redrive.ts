/**
 * Doing a dead letter's job once more: a job like any other, of the same customer, with the same input, on the same
 * version and at the same price. That it is done once more once is the database's to keep: the new job names the dead
 * letter, which ends in the statement that accepts the job.
 */
import type { JobId, KeyId } from "@contingent/core/ids";
import { newJob } from "@contingent/core/job/accept";
import { takeForRedrive } from "@contingent/db/dead-letters";
import { newId } from "@contingent/db/ids";
import { PayloadDropped } from "@contingent/db/payloads/payloads";
import { violatedConstraint } from "@contingent/db/pool";
import type { IntakeContext } from "../context.ts";
import { congestionError } from "../jobs/congestion.ts";
import { shortageError } from "../jobs/shortage.ts";
import { deadLetterOf, endedOtherwise, textsErased } from "./find.ts";

export interface Redriven {
  readonly as: JobId;
  /** It had been before. */
  readonly before: boolean;
}

/** @throws ApiError when there is no such dead letter, when it was dismissed, and when the customer's money does not suffice */
export async function redrive(
  context: IntakeContext,
  of: JobId,
  by: { readonly keyId: KeyId; readonly traceparent: string },
): Promise<Redriven> {
  const taken = await takeForRedrive(context.pool, of, by.keyId, context.payloads).catch((error: unknown) => {
    throw error instanceof PayloadDropped ? textsErased(of) : error;
  });
  const as = taken === null ? null : await acceptAgain(context, of, taken, by.traceparent);
  if (as !== null) return { as, before: false };
  const letter = await deadLetterOf(context, of);
  if (letter.redrivenAs === null) throw endedOtherwise(letter);
  return { as: letter.redrivenAs, before: true };
}

/** @returns null: somebody was faster */
async function acceptAgain(
  context: IntakeContext,
  of: JobId,
  { customerId, versionId, termsId, input, metadata }: NonNullable<Awaited<ReturnType<typeof takeForRedrive>>>,
  traceparent: string,
): Promise<JobId | null> {
  const version = await context.versions.get(versionId);
  const id = newId("job");
  // Its outcome_key stays the first job's: one key is one job, for ever, and that one names this one.
  const job = { id, customerId, version, outcomeKey: null, input, metadata, traceparent, idempotent: null };
  const accepted = await context.accept({ ...job, redrive: { of, termsId } }).catch((error: unknown) => {
    // It was dismissed in this very moment.
    if (violatedConstraint(error) === "dead_letter_ends_once") return null;
    throw error;
  });
  if (accepted === null) return null;
  if (accepted.kind === "congested") throw congestionError(accepted.congestion);
  if (accepted.kind === "refused") throw shortageError(accepted.shortage, version.currency);
  const { createdAtMs, turnAtMs } = accepted;
  context.announce({ job: newJob(id, version.terms, createdAtMs, turnAtMs), traceparent, nowMs: createdAtMs });
  return id;
}
