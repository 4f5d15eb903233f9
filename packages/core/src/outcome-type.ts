/**
 * An outcome type: one thing that is sold. What counts as done, how it is verified, what it costs, how hard to try.
 *
 * A published version never changes. A job is pinned to one version, with everything that it names resolved into plain
 * values (models, timeouts, retry policy), so that later changes of the catalog change no accepted job.
 */
import type { OutcomeTypeVersionId } from "./ids.ts";
import type { Json, JsonSchema } from "./json.ts";
import type { Currency, Nanos } from "./money.ts";
import type { PriceTerms } from "./pricing/price.ts";
import type { Thresholds } from "./verdict.ts";

/** Templates over the job's input: `{{input}}` or `{{input.path.to.value}}`. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
}

/**
 * The validator tree. A leaf is a validator by name with its options, and scores 0 to 1. Inner nodes: `all` is as good as
 * its worst member, `any` as its best, `not` is one minus its member, and `weighted` the mean by weight, which from
 * `threshold` on counts as 1.
 */
export type ValidatorNode =
  | { readonly use: string; readonly options: Json }
  | { readonly all: readonly ValidatorNode[] }
  | { readonly any: readonly ValidatorNode[] }
  | {
      readonly weighted: readonly { readonly weight: number; readonly of: ValidatorNode }[];
      readonly threshold?: number;
    }
  | { readonly not: ValidatorNode };

/** How long to wait before the n-th attempt on a tier: `initialDelayMs × multiplier^(n−2)`, spread by ± jitter, at most `delayMaxMs`. */
export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly multiplier: number;
  /** Share of the delay by which it may vary to either side, 0 to 1. */
  readonly jitter: number;
  readonly delayMaxMs: number;
}

/** One step of a cascade, resolved: the tier's queue, its models in order of preference, and how hard to try. */
export interface CascadeStep {
  readonly tier: string;
  /** The first one is used; the others stand in while it is unavailable. */
  readonly models: readonly [string, ...string[]];
  readonly attemptsMax: number;
  readonly retry: RetryPolicy;
  /** A call that takes longer is aborted. */
  readonly timeoutMs: number;
  /** With less time than this left to the deadline an attempt on the tier is not worth starting. */
  readonly timeNeededMs: number;
  /** Score from which an answer of this step is a success; null: the type's. It never falls with depth. */
  readonly successAt: number | null;
}

/** The attempt's output limit, tokens: it starts at `start`, doubles up to `max` when an answer is cut off, and is lowered down to `min` to fit the cost cap. */
export interface OutputTokens {
  readonly start: number;
  readonly min: number;
  readonly max: number;
}

/** When a verified outcome is the customer's: at once, or when the customer (or a silence) says so. */
export type Acceptance =
  | { readonly mode: "automatic" }
  | { readonly mode: "window"; readonly durationMs: number; readonly onSilence: "accept" | "release" }
  | { readonly mode: "explicit"; readonly durationMs: number; readonly onSilence: "accept" | "release" };

/** How long a charge may be disputed unless the type says otherwise: a month, so that a monthly statement can be checked. */
export const DISPUTE_WINDOW_DEFAULT_MS = 30 * 24 * 60 * 60_000;

/** What a verdict costs, and whom it is owed to: a model that judges, a checking service. The built-in validators are free. */
export interface ValidationCost {
  readonly provider: string;
  /** What of the provider's is paid for: a model, a service. */
  readonly name: string;
  /** Of one verdict, at most. */
  readonly cost: Nanos;
}

/** The part of an outcome type version that decides what happens to a job: what `decide` and `price` may look at. */
export interface Terms {
  readonly cascade: readonly [CascadeStep, ...CascadeStep[]];
  /** Over all tiers together. */
  readonly attemptsMax: number;
  readonly outputTokens: OutputTokens;
  /** The most the operator will spend on one job. */
  readonly costCap: Nanos;
  readonly deadlineMs: number;
  readonly successAt: number;
  /** Score from which an outcome counts as partial; null: there is no partial outcome. */
  readonly partialAt: number | null;
  readonly price: PriceTerms;
  /** Null: verdicts cost nothing. */
  readonly validation: ValidationCost | null;
  /** What the inquiries of the validator tree may cost for one answer, all together. */
  readonly inquiryReserve: Nanos;
  readonly acceptance: Acceptance;
  /** Whether an outcome that the customer rejects is worked on again, with the reason as feedback, while attempts are left. */
  readonly rework: boolean;
  /** How long after it was made a charge may be disputed; 0: never. */
  readonly disputeWindowMs: number;
}

/** What an answer is held to that was made on this step of the cascade. */
export function thresholdsAt(
  { cascade, successAt, partialAt }: Pick<Terms, "cascade" | "successAt" | "partialAt">,
  step: number,
): Thresholds {
  return { successAt: cascade[step]?.successAt ?? successAt, partialAt };
}

/** How billed outcomes are audited: a random share of them is looked at again. */
export interface AuditTerms {
  /** The share of billed outcomes, more than 0, at most 1. */
  readonly rate: number;
  readonly method: "human";
  /** Whether what turns out not to be right is given back by itself. */
  readonly credit: boolean;
  /** How soon an audit should be decided. */
  readonly dueMs: number;
}

/** What is measured of a version, and held against what. Nothing in it decides what happens to a job. */
export interface QualityTerms {
  /** Null: nothing is audited, and so nothing measured. */
  readonly audit: AuditTerms | null;
  /** The largest share of billed outcomes that may turn out wrong before it is an alert; null: none is too large. */
  readonly falseBillRateMax: number | null;
  /** Which calibration thresholds were found by that were asked for as probabilities; null: all were given as scores. */
  readonly calibratedBy: { readonly version: number; readonly labels: number } | null;
}

export const UNMEASURED: QualityTerms = { audit: null, falseBillRateMax: null, calibratedBy: null };

/** One immutable version. */
export interface OutcomeTypeVersion {
  readonly id: OutcomeTypeVersionId;
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly currency: Currency;
  readonly prompt: Prompt;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema;
  readonly validator: ValidatorNode;
  /** Numbers that an answer carries about itself, by name: JSON pointers. They are recorded with the verdict and decide nothing. */
  readonly features: Readonly<Record<string, string>>;
  readonly terms: Terms;
  readonly quality: QualityTerms;
  /** For how many days after a job is closed its texts are kept at the most; null: as long as its customer's are. */
  readonly payloadRetentionDays: number | null;
}
