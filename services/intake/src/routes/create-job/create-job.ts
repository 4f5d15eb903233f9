import { createJob } from "@contingent/contracts/http/operations";
import type { CustomerId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { finishAnswer, recordExisting, type RequestKey } from "@contingent/db/idempotency";
import type { JobView } from "@contingent/db/job-views";
import type { IntakeContext } from "../../context.ts";
import { type Call, type Reply, route } from "../../http/route.ts";
import { fingerprintOf, idempotencyKeyOf } from "../../jobs/idempotency-key.ts";
import { waitPreference } from "../../jobs/prefer.ts";
import { customerJob } from "../../jobs/render.ts";
import { submit, type Submission } from "../../jobs/submit.ts";
import { unrecordedTraceparent } from "../../jobs/trace.ts";
import { viewWhenDelivered } from "../../jobs/wait.ts";

interface Asked extends Submission {
  readonly waitS: number;
  readonly signal: AbortSignal;
}

const EXISTING = { "Contingent-Existing-Job": "true" };
const REPLAYED = { "Idempotent-Replayed": "true" };

export const createJobRoute = route(createJob, async (context, call) => {
  const asked = askedBy(call);
  const reply = await answer(context, asked);
  const applied: Record<string, string> = asked.waitS > 0 ? { "Preference-Applied": `wait=${asked.waitS}` } : {};
  return { ...reply, headers: { ...reply.headers, ...applied } };
});

function askedBy({ caller, body, headers, traceparent, signal }: Call<typeof createJob>): Asked {
  const waitS = waitPreference(headers.prefer);
  return {
    customerId: caller.customerId,
    body,
    idempotencyKey: idempotencyKeyOf(headers["idempotency-key"]),
    waitS,
    answersLater: waitS > 0,
    traceparent: traceparent ?? unrecordedTraceparent(),
    signal,
  };
}

async function answer(context: IntakeContext, asked: Asked): Promise<Reply> {
  const submitted = await submit(context, asked);
  switch (submitted.kind) {
    case "accepted":
      if (asked.waitS === 0) return acceptedReply(submitted.view);
      return served(context, asked, () => waitedAfter(context, asked, submitted.view));
    case "taken_over":
      return served(context, asked, () => waited(context, asked, submitted.jobId));
    case "existing":
      return existingReply(context, asked, submitted.jobId);
    case "replayed": {
      const headers = { ...REPLAYED, ...(submitted.existing ? EXISTING : locationOf(submitted.jobId)) };
      return { status: submitted.status, body: submitted.body, headers };
    }
  }
}

/** Finds the answer while the request counts as being served, and stores it. */
async function served(context: IntakeContext, asked: Asked, find: () => Promise<Reply>): Promise<Reply> {
  const request = requestKeyOf(asked);
  if (request === null) return find();
  return context.inFlight.during(request, async () => {
    const reply = await find();
    const stored = { status: reply.status, body: asJson(reply.body) };
    await finishAnswer(context.pool, request, stored, context.payloads);
    return reply;
  });
}

/** What becomes of a job that was accepted just now. No error may say that it was not: who repeated it would pay for two. */
async function waitedAfter(context: IntakeContext, asked: Asked, accepted: JobView): Promise<Reply> {
  try {
    return await waited(context, asked, accepted.id);
  } catch (error) {
    context.log.warn({ err: error, job: accepted.id }, "not waited for: the job is answered as it was accepted");
    return acceptedReply(accepted);
  }
}

async function waited(context: IntakeContext, asked: Asked, id: JobId): Promise<Reply> {
  const { customerId } = asked;
  const view = await viewWhenDelivered(context, { id, customerId }, { waitS: asked.waitS, signal: asked.signal });
  return view.state === "closed" ? closedReply(view) : acceptedReply(view);
}

async function existingReply(context: IntakeContext, asked: Asked, jobId: JobId): Promise<Reply> {
  const view = await viewWhenDelivered(
    context,
    { id: jobId, customerId: asked.customerId },
    { waitS: asked.waitS, signal: asked.signal },
  );
  const body = customerJob(view, {});
  const request = requestKeyOf(asked);
  if (request !== null) {
    const row = { ...request, fingerprint: fingerprintOf(asked.body), jobId };
    // Somebody has used the key in the meantime: it is theirs, and what they asked for decides.
    const stored = { status: 200, body: asJson(body) };
    if (!(await recordExisting(context.pool, row, stored, context.payloads))) return answer(context, asked);
  }
  return { status: 200, body, headers: EXISTING };
}

function acceptedReply(view: JobView): Reply {
  return { status: 202, body: customerJob(view, {}), headers: locationOf(view.id) };
}

function closedReply(view: JobView): Reply {
  return { status: 200, body: customerJob(view, {}), headers: locationOf(view.id) };
}

function locationOf(id: string): { readonly Location: string } {
  return { Location: `/v1/jobs/${id}` };
}

function requestKeyOf(asked: {
  readonly customerId: CustomerId;
  readonly idempotencyKey: string | null;
}): RequestKey | null {
  return asked.idempotencyKey === null ? null : { customerId: asked.customerId, key: asked.idempotencyKey };
}

function asJson(body: unknown): JsonObject {
  return JSON.parse(JSON.stringify(body)) as JsonObject;
}
