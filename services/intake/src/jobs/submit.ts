/**
 * Accepting a job, once: what a single request and a line of a bulk request have in common.
 *
 * One statement does it when nothing stands in the way. When the Idempotency-Key or the outcome_key has been used before
 * it writes nothing, and a second statement says by what.
 */
import type { CreateJobBody } from "@contingent/contracts/http/jobs";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { newJob } from "@contingent/core/job/accept";
import type { JsonObject } from "@contingent/core/json";
import { ZERO } from "@contingent/core/money";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { Accepted, Congested, IdempotentRequest, Refused } from "@contingent/db/accept";
import type { EarlierRequest, Found } from "@contingent/db/accept-find";
import { takeOver } from "@contingent/db/idempotency";
import { newId } from "@contingent/db/ids";
import type { JobView } from "@contingent/db/job-views";
import { OUTCOME } from "@contingent/runtime/attributes";
import { failpoint } from "@contingent/runtime/failpoints";
import { trace } from "@opentelemetry/api";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { inputProblems } from "../outcome-types/input.ts";
import { congestionError } from "./congestion.ts";
import { fingerprintOf } from "./idempotency-key.ts";
import { customerJob } from "./render.ts";
import { shortageError } from "./shortage.ts";

type Times = Pick<Accepted, "createdAtMs" | "deadlineAtMs">;

export interface Submission {
  readonly customerId: CustomerId;
  readonly body: CreateJobBody;
  readonly idempotencyKey: string | null;
  /** The answer is given later, when the job is closed: it is stored then. */
  readonly answersLater: boolean;
  readonly traceparent: string;
}

export type Submitted =
  /** A job was made just now. */
  | { readonly kind: "accepted"; readonly view: JobView }
  /** The outcome was asked for before, under another request. */
  | { readonly kind: "existing"; readonly jobId: JobId }
  /** The very request was made before: its stored answer. */
  | {
      readonly kind: "replayed";
      readonly jobId: JobId;
      readonly status: number;
      readonly body: JsonObject;
      readonly existing: boolean;
    }
  /** The very request was made before, and whoever served it is gone: it is ours to answer. */
  | { readonly kind: "taken_over"; readonly jobId: JobId };

/** Two requests for one outcome may find each other unfinished; each look is later than the one before. */
const LOOKS_MAX = 5;
const RETRY_AFTER_S = "1";

/** @throws ApiError when the job cannot be accepted */
export async function submit(context: IntakeContext, submission: Submission): Promise<Submitted> {
  const { body } = submission;
  const version = await context.latest.get(body.outcome_type);
  if (version === null) {
    const message = `There is no outcome type "${body.outcome_type}". Check its name.`;
    throw new ApiError("outcome_type_not_found", message, { param: "/outcome_type" });
  }
  const problems = inputProblems(version, body.input);
  if (problems.length > 0) {
    // A repeat is answered like the first time, even if the outcome type has changed since.
    const earlier = await findEarlier(context, submission);
    if (earlier !== null) return earlier;
    const message = `The input does not fit the input schema of ${version.name}: ${problems[0]?.param} ${problems[0]?.message}.`;
    throw new ApiError("invalid_input", message, { param: problems[0]?.param ?? "/input", problems });
  }
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const accepted = await acceptNew(context, submission, version);
    if (accepted?.kind === "accepted") return accepted;
    // A repeat needs no money: it is answered like the first time.
    const earlier = await findEarlier(context, submission);
    if (earlier !== null) return earlier;
    if (accepted?.kind === "congested") throw congestionError(accepted.congestion);
    if (accepted?.kind === "refused") throw shortageError(accepted.shortage, version.currency);
  }
  throw inFlight();
}

async function acceptNew(
  context: IntakeContext,
  submission: Submission,
  version: OutcomeTypeVersion,
): Promise<Extract<Submitted, { kind: "accepted" }> | Refused | Congested | null> {
  const { customerId, body, traceparent } = submission;
  const id = newId("job");
  const viewAt = (times: Times): JobView => acceptedView(id, submission, version, times);
  const accepted = await context.accept({
    id,
    customerId,
    version,
    outcomeKey: body.outcome_key ?? null,
    input: body.input,
    metadata: body.metadata ?? {},
    traceparent,
    idempotent: idempotentRequest(submission, viewAt),
  });
  if (accepted === null || accepted.kind !== "accepted") return accepted;
  trace.getActiveSpan()?.setAttributes({ [OUTCOME.jobId]: id, [OUTCOME.type]: version.name });
  await failpoint("intake.accepted");
  const { createdAtMs, turnAtMs } = accepted;
  context.announce({ job: newJob(id, version.terms, createdAtMs, turnAtMs), traceparent, nowMs: createdAtMs });
  return { kind: "accepted", view: viewAt(accepted) };
}

function idempotentRequest(submission: Submission, viewAt: (times: Times) => JobView): IdempotentRequest | null {
  const { idempotencyKey: key, body, answersLater } = submission;
  if (key === null) return null;
  const fingerprint = fingerprintOf(body);
  if (answersLater) return { key, fingerprint, answer: null };
  // The statement fills in the times, which only the database knows.
  const { created_at: _, deadline_at: __, ...answer } = customerJob(viewAt({ createdAtMs: 0, deadlineAtMs: 0 }), {});
  return { key, fingerprint, answer: { status: 202, body: JSON.parse(JSON.stringify(answer)) as JsonObject } };
}

/** What stands in the way of this request; null when nothing does any more. */
async function findEarlier(context: IntakeContext, submission: Submission): Promise<Submitted | null> {
  const { customerId, body, idempotencyKey } = submission;
  if (idempotencyKey === null && body.outcome_key === undefined) return null;
  const found = await context.findAccepted({
    customerId,
    outcomeType: body.outcome_type,
    outcomeKey: body.outcome_key ?? null,
    idempotencyKey,
    input: body.input,
  });
  if (found.request !== null && idempotencyKey !== null) {
    return answerOf(context, found.request, submission, idempotencyKey);
  }
  return found.job === null ? null : existing(found.job, body);
}

async function answerOf(
  context: IntakeContext,
  earlier: EarlierRequest,
  submission: Submission,
  key: string,
): Promise<Submitted | null> {
  if (earlier.fingerprint !== fingerprintOf(submission.body)) {
    const message = "This Idempotency-Key was used for another request. Use a new key for a new request.";
    throw new ApiError("idempotency_key_reused", message, { param: "idempotency-key" });
  }
  const { answer, jobId } = earlier;
  if (answer !== null) return { kind: "replayed", jobId, ...answer, existing: earlier.existing };
  if (earlier.alive) throw inFlight();
  return (await takeOver(context.pool, { customerId: submission.customerId, key }))
    ? { kind: "taken_over", jobId }
    : null;
}

function existing(job: NonNullable<Found["job"]>, body: CreateJobBody): Submitted {
  if (job.sameInput) return { kind: "existing", jobId: job.id };
  const message = `The outcome_key "${body.outcome_key}" was used for job ${job.id}, with another input. Use a new outcome_key for a new outcome.`;
  throw new ApiError("outcome_key_conflict", message, { param: "/outcome_key" });
}

function inFlight(): ApiError {
  const message = "The first request with this Idempotency-Key is still being served. Repeat it in a moment.";
  return new ApiError("idempotency_in_flight", message, {
    param: "idempotency-key",
    headers: { "Retry-After": RETRY_AFTER_S },
  });
}

/** The job as it is at its acceptance, without asking for it again. */
function acceptedView(id: JobId, submission: Submission, version: OutcomeTypeVersion, times: Times): JobView {
  const { customerId, body, traceparent } = submission;
  return {
    id,
    customerId,
    outcomeType: version.name,
    version: version.version,
    currency: version.currency,
    outcomeKey: body.outcome_key ?? null,
    state: "queued",
    revision: 1,
    resolution: null,
    reason: null,
    output: null,
    verdict: null,
    attempts: 0,
    attemptList: null,
    inputTokens: 0,
    outputTokens: 0,
    charge: null,
    cost: ZERO,
    metadata: body.metadata ?? {},
    traceparent,
    createdAtMs: times.createdAtMs,
    deadlineAtMs: times.deadlineAtMs,
    settlesAtMs: null,
    payloadDroppedAtMs: null,
    closedAtMs: null,
    redriveOf: null,
    redrivenAs: null,
  };
}
