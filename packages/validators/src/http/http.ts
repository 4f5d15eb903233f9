import { BY_SERVICE, serviceReplySchema } from "@contingent/contracts/http/inquiries";
import type { Json } from "@contingent/core/json";
import { ZERO } from "@contingent/core/money";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX } from "../bounds.ts";
import { failed, finding, PASSED } from "../finding.ts";
import type { Inquiry, Question, Reply } from "../inquiry.ts";
import { type LeafResult, ValidatorError } from "../validator.ts";

export interface HttpOptions {
  readonly url: string;
  /** The name of the secret that requests and replies are signed with. */
  readonly secret: string;
  /** `sync`: the response is the reply. `callback`: it comes later, by `POST /v1/inquiries/{id}/reply`. */
  readonly mode: "sync" | "callback";
  /** How long the request may take. */
  readonly timeout_ms: number;
  /** With `callback`: how long the service has from the request to its reply. */
  readonly reply_within_ms?: number | undefined;
  readonly on_silence: "fail" | "error";
}

const TIMEOUT_MIN_MS = 100;
const TIMEOUT_MAX_MS = 60_000;
const TIMEOUT_DEFAULT_MS = 10_000;
const REPLY_WITHIN_MIN_MS = 1_000;
const REPLY_WITHIN_MAX_MS = 30 * 24 * 60 * 60_000;

const options: z.ZodType<HttpOptions> = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be a URL such as "https://checks.example.com/verify"' }),
    secret: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "must be the name of a secret, never the secret itself"),
    mode: z.enum(["sync", "callback"]).default("sync"),
    timeout_ms: z.int().min(TIMEOUT_MIN_MS).max(TIMEOUT_MAX_MS).default(TIMEOUT_DEFAULT_MS),
    reply_within_ms: z.int().min(REPLY_WITHIN_MIN_MS).max(REPLY_WITHIN_MAX_MS).optional(),
    on_silence: z.enum(["fail", "error"]).default("error"),
  })
  .refine(({ mode, reply_within_ms: within }) => (mode === "callback") === (within !== undefined), {
    path: ["reply_within_ms"],
    error: 'is for mode "callback", which needs it',
  });

/** The operator's own service judges. */
export const http: Inquiry<HttpOptions> = {
  name: "http",
  version: 1,
  asked: "service",
  options,
  costMax: () => ZERO,
  durationMs: ({ reply_within_ms: within, timeout_ms: timeoutMs }) => within ?? timeoutMs,
  plan(_, of, means) {
    if (means.service(of.secret) === null) throw new ValidatorError(`there is no secret "${of.secret}" to sign with`);
    return { reserve: ZERO, payee: null, target: new URL(of.url).origin };
  },
  async ask(question, of, means) {
    const service = means.service(of.secret);
    if (service === null) return broke(`there is no secret "${of.secret}" to sign with`);
    const signal = AbortSignal.any([means.signal, AbortSignal.timeout(of.timeout_ms)]);
    const body = JSON.stringify(requestAbout(question, of));
    const answer = await service.post({ url: of.url, id: question.inquiryId, body, signal });
    // The time is over: what that means is for the options to say.
    if (answer.kind === "failed") return signal.aborted ? { kind: "pending" } : broke(answer.message);
    if (of.mode === "callback" && answer.status === 202) return { kind: "pending" };
    if (answer.status !== 200) return broke(`the service answered ${answer.status}`);
    const reply = jsonOf(answer.body);
    const result = reply === undefined ? null : resultOf(reply);
    if (result === null) return broke("the service's answer is no reply");
    return { kind: "answered", result, cost: ZERO, detail: { status: answer.status } };
  },
  read(reply) {
    const result = resultOf(reply);
    if (result === null) throw new ValidatorError("this is no reply of a service");
    return result;
  },
  silence({ on_silence: meaning }) {
    return meaning === "error"
      ? null
      : failed(finding("", "not_answered", "The checking service did not answer in time."));
  },
};

/** What the service is sent. */
function requestAbout({ inquiryId, jobId, outcomeType, input, output }: Question, { mode }: HttpOptions): Json {
  const { name, version } = outcomeType;
  return {
    type: "inquiry",
    inquiry_id: inquiryId,
    job_id: jobId,
    outcome_type: { name, version },
    mode,
    input,
    output,
  };
}

/** A reply as a result, with a reason for every score below 1; null: it is none. */
function resultOf(reply: Json): LeafResult | null {
  const parsed = serviceReplySchema.safeParse(reply);
  if (!parsed.success) return null;
  const { decision, score = decision === "pass" ? 1 : 0, findings } = parsed.data;
  if (score === 1) return PASSED;
  const located: Finding[] = findings
    .slice(0, LEAF_FINDINGS_MAX)
    .map(({ path, code, message, hint }) => finding(path, code, message, hint));
  const unsaid = finding("", BY_SERVICE, "The checking service found the answer not good enough.");
  return { score, findings: located.length === 0 ? [unsaid] : located };
}

function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Asking costs nothing, so that it came to nothing costs nothing either. */
function broke(error: string): Reply {
  return { kind: "broke", error, cost: ZERO };
}
