import type { Json } from "@contingent/core/json";
import { type Nanos, parseMoney, ZERO } from "@contingent/core/money";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX } from "../bounds.ts";
import { failed, finding, PASSED } from "../finding.ts";
import type { Inquiry } from "../inquiry.ts";
import { type LeafResult, ValidatorError } from "../validator.ts";

export interface HumanOptions {
  /** What reviewers are told to look for. */
  readonly instructions: string;
  /** How long they have. */
  readonly sla_ms: number;
  readonly on_silence: "pass" | "fail" | "error";
  /** Whether they may give a score between 0 and 1. */
  readonly score: boolean;
  /** Whom a review is owed to, if reviewers are paid for each. */
  readonly cost?: { readonly provider: string; readonly name: string; readonly per_review: string } | undefined;
}

const INSTRUCTIONS_CHARACTERS_MAX = 4_000;
/** Less is over before anybody has looked. */
const SLA_MIN_MS = 1_000;
const SLA_MAX_MS = 30 * 24 * 60 * 60_000;
/** The codes of the reviewer's findings, unless they name another. */
const CODES = { fail: "rejected_by_reviewer", pass: "marked_down_by_reviewer" } as const;
const CODE = /^[a-z][a-z0-9_]{0,62}$/;

const payee = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  error: "must be 1 to 63 lower-case letters, digits, dots, hyphens and underscores, a letter or digit first",
});
const amount = z
  .string()
  .refine((text) => (parseMoney(text) ?? -1n) >= ZERO, { error: 'must be an amount such as "0.50"' });

export const humanOptions: z.ZodType<HumanOptions> = z.strictObject({
  instructions: z.string().trim().min(1).max(INSTRUCTIONS_CHARACTERS_MAX),
  sla_ms: z.int().min(SLA_MIN_MS).max(SLA_MAX_MS),
  on_silence: z.enum(["pass", "fail", "error"]),
  score: z.boolean().default(false),
  cost: z.strictObject({ provider: payee, name: payee, per_review: amount }).optional(),
});

/** A person's decision as it is recorded. */
const decisionSchema = z.object({
  decision: z.enum(["pass", "fail"]),
  score: z.number().min(0).max(1).optional(),
  reason: z.string().trim().optional(),
  findings: z
    .array(
      z.object({
        path: z.string().default(""),
        code: z.string().regex(CODE).optional(),
        message: z.string().trim().min(1),
        hint: z.string().optional(),
      }),
    )
    .default([]),
});

/** A person looks at the answer and decides. */
export const human: Inquiry<HumanOptions> = {
  name: "human",
  version: 1,
  asked: "person",
  options: humanOptions,
  costMax: costOfReview,
  durationMs: ({ sla_ms: slaMs }) => slaMs,
  plan: (_, of) => ({ reserve: costOfReview(of), payee: payeeOf(of), target: null }),
  // The review is in the queue once the inquiry is open; somebody will find it there.
  ask: async () => ({ kind: "pending" }),
  read: (reply, { score }) => resultOfDecision(reply, score),
  silence({ on_silence: meaning }) {
    if (meaning === "error") return null;
    if (meaning === "pass") return PASSED;
    return failed(finding("", "not_reviewed", "Nobody reviewed the answer in time."));
  },
};

function costOfReview({ cost }: HumanOptions): Nanos {
  return parseMoney(cost?.per_review ?? "0") ?? ZERO;
}

function payeeOf({ cost }: HumanOptions): { readonly provider: string; readonly name: string } | null {
  return cost === undefined ? null : { provider: cost.provider, name: cost.name };
}

/**
 * A decision as a result. Every score below 1 has a finding: the reviewer's own, or the reason.
 * @param mayScore whether it may be another score than 0 and 1
 * @throws ValidatorError when it is no such decision
 */
export function resultOfDecision(reply: Json, mayScore: boolean): LeafResult {
  const parsed = decisionSchema.safeParse(reply);
  if (!parsed.success) throw new ValidatorError("this is no decision of a reviewer");
  const { decision, reason, findings } = parsed.data;
  if (parsed.data.score !== undefined && !mayScore) throw new ValidatorError("reviewers may not give scores here");
  const score = parsed.data.score ?? (decision === "pass" ? 1 : 0);
  if ((decision === "pass" && score === 0) || (decision === "fail" && score === 1))
    throw new ValidatorError(`a score of ${score} is no ${decision}`);
  if (score === 1) return PASSED;
  const byReviewer = CODES[decision];
  const located: Finding[] = findings.map(({ path, code = byReviewer, message, hint }) =>
    finding(path, code, message, hint),
  );
  const words = reason === undefined || reason === "" ? "A reviewer found the answer not good enough." : reason;
  const all = located.length === 0 ? [finding("", byReviewer, words)] : located;
  return { score, findings: all.slice(0, LEAF_FINDINGS_MAX) };
}
