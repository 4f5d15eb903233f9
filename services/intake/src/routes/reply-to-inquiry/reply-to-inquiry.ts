import { JSON_TYPE } from "@contingent/contracts/http/operation";
import { replyToInquiry } from "@contingent/contracts/http/inquiries";
import type { InquiryId } from "@contingent/core/ids";
import { decide } from "@contingent/core/job/decide";
import { canonicalJson, type Json } from "@contingent/core/json";
import { ZERO } from "@contingent/core/money";
import { findServiceInquiry, type ServiceInquiry } from "@contingent/db/service-inquiries";
import { isSigned, type SignatureHeaders } from "@contingent/runtime/outgoing/standard-webhooks";
import { http } from "@contingent/validators/http/http";
import { inquiriesIn } from "@contingent/validators/leaves";
import type { LeafResult } from "@contingent/validators/validator";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { check } from "../../http/check.ts";
import { readJson } from "../../http/json-text.ts";
import { readBytes } from "../../http/read-body.ts";
import { route } from "../../http/route.ts";
import { moveJob } from "../../jobs/move.ts";
import { addressOf } from "../../limits/address.ts";

/** Known by its signature and by nothing else: before that is good, nothing of the body is looked at. */
export const replyToInquiryRoute = route(
  replyToInquiry,
  async (context, { params: { id }, headers, request }) => {
    const address = addressOf(request);
    await context.requestLimits.refuseAfterFailures(address);
    const bytes = await readBytes(request, JSON_TYPE);
    const inquiry = await signedInquiry(context, id, headers, bytes);
    if (inquiry === null) {
      await context.requestLimits.countFailure(address);
      throw badSignature(id);
    }
    const reply = check(replyToInquiry.body.schema, readJson(bytes), "body");
    const { options } = await leafOf(context, inquiry);
    const result = http.read(JSON.parse(JSON.stringify(reply)) as Json, options);
    await record(context, inquiry, result);
    return { status: 200, body: { object: "inquiry", id, state: "replied", score: result.score } };
  },
  { readsBody: true },
);

/** Null, the same whether there is no such inquiry or it was signed by somebody else. */
async function signedInquiry(
  context: IntakeContext,
  id: InquiryId,
  headers: SignatureHeaders,
  bytes: Uint8Array,
): Promise<ServiceInquiry | null> {
  const inquiry = await findServiceInquiry(context.pool, id, context.payloads);
  const leaf = inquiry === null ? null : await leafOf(context, inquiry);
  const secrets = context.outgoing.secrets.get(leaf?.options.secret ?? "") ?? [];
  // A reply is about one inquiry: what was signed about another is good for that one only.
  const isGood = headers["webhook-id"] === id && isSigned(secrets, headers, bytes, Date.now() / 1_000);
  return isGood ? inquiry : null;
}

function badSignature(id: InquiryId): ApiError {
  const message = `The signature is not good for a reply to ${id}: look at the secret, the id, the time and the bytes that were signed.`;
  return new ApiError("invalid_signature", message, { param: "webhook-signature" });
}

async function leafOf({ versions }: IntakeContext, { versionId, leaf }: ServiceInquiry) {
  const { validator } = await versions.get(versionId);
  const asking = inquiriesIn(validator).find(({ path }) => path === leaf);
  return { options: http.options.parse(asking?.options) };
}

/** Records the reply, once, and lets the job go on with it. */
async function record(context: IntakeContext, inquiry: ServiceInquiry, result: LeafResult): Promise<void> {
  if (isRecorded(inquiry, result)) return;
  await moveJob(
    context,
    inquiry.jobId,
    async ({ job, nowMs }) => {
      const { current, inquiry: waiting } = job.progress;
      if (current === null || waiting?.inquiryId !== inquiry.id) {
        const meanwhile = await findServiceInquiry(context.pool, inquiry.id, context.payloads);
        if (meanwhile !== null && isRecorded(meanwhile, result)) return null;
        throw over(inquiry);
      }
      const about = { attemptId: current.attemptId, inquiryId: waiting.inquiryId };
      const fact = { type: "replied", ...about, outcome: "replied", cost: ZERO } as const;
      const step = decide(job, fact, { nowMs, random: Math.random() });
      if (nowMs >= job.readyAtMs || step.kind !== "moved") throw over(inquiry);
      return { ...step, reply: { result, detail: { callback: true }, repliedBy: null } };
    },
    () => over(inquiry),
  );
}

/**
 * Whether this very reply is on record; false: the inquiry is open.
 * @throws ApiError when it has ended otherwise
 */
function isRecorded(inquiry: ServiceInquiry, result: LeafResult): boolean {
  if (inquiry.outcome === null) return false;
  if (inquiry.outcome !== "replied") throw over(inquiry);
  if (textOf(inquiry) === textOf(result)) return true;
  const message = `${inquiry.id} has another reply already, with a score of ${inquiry.score}. That one stands.`;
  throw new ApiError("inquiry_replied", message, { param: "id" });
}

function textOf({ score, findings }: Pick<ServiceInquiry, "score" | "findings">): string {
  return canonicalJson({ score, findings: (findings ?? []).map((each) => ({ ...each })) });
}

function over({ id, jobId }: ServiceInquiry): ApiError {
  const message = `${id} takes no reply any more: its time is over, or ${jobId} does not wait for it.`;
  return new ApiError("inquiry_over", message, { param: "id" });
}
