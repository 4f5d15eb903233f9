import type { Json } from "@contingent/core/json";
import { parseMoney, ZERO } from "@contingent/core/money";
import { z } from "zod";

/** One thing that an answer must have or be. */
export interface Criterion {
  readonly criterion: string;
  readonly weight: number;
}

export interface JudgeOptions {
  readonly rubric: readonly Criterion[];
  /** Exact ids, in order of preference: the first one that may judge the producer is asked. */
  readonly models: readonly string[];
  /** Odd, so that there is always a majority. */
  readonly votes: number;
  /** From this share of the rubric's weight the answer is perfect. */
  readonly pass_at: number;
  readonly output_tokens_max: number;
  /** The most that one judgement may cost, all votes and canaries together. */
  readonly cost_max: string;
  readonly include_input: boolean;
  readonly canaries: {
    /** The share of judgements that a known-bad answer is put before the judge along with. */
    readonly rate: number;
    /** The share of known-bad answers that a judge may let through. */
    readonly limit: number;
    /** Answers that are known to be bad; none: they are made by rule from the answer that is judged. */
    readonly answers: readonly Json[];
  };
}

export const VOTES_MAX = 7;
const CRITERIA_MAX = 20;
const CRITERION_CHARACTERS_MAX = 500;
const MODELS_MAX = 10;
const OUTPUT_TOKENS_MAX = 8_000;
const KNOWN_BAD_MAX = 20;
const WEIGHT_MAX = 1_000;

/** An even share of judgements is enough to find a judge out within a few dozen of them, for a twentieth of the cost. */
export const CANARY_RATE_DEFAULT = 0.05;
export const CANARY_LIMIT_DEFAULT = 0.2;

const criterionText = z.string().trim().min(1).max(CRITERION_CHARACTERS_MAX);
const criterion = z.strictObject({
  criterion: criterionText,
  weight: z.number().gt(0).max(WEIGHT_MAX).default(1),
});

export const judgeOptions: z.ZodType<JudgeOptions> = z.strictObject({
  rubric: z.union([
    criterionText.transform((text): Criterion[] => [{ criterion: text, weight: 1 }]),
    z.array(criterion).min(1).max(CRITERIA_MAX),
  ]),
  models: z.array(z.string().min(1).max(100)).min(1).max(MODELS_MAX),
  votes: z
    .int()
    .min(1)
    .max(VOTES_MAX)
    .refine((votes) => votes % 2 === 1, { error: "must be odd, so that there is always a majority" })
    .default(1),
  pass_at: z.number().gt(0).max(1).default(1),
  output_tokens_max: z.int().min(100).max(OUTPUT_TOKENS_MAX).default(1_000),
  cost_max: z
    .string()
    .refine((text) => (parseMoney(text) ?? ZERO) > ZERO, { error: 'must be an amount above zero such as "0.02"' }),
  include_input: z.boolean().default(true),
  canaries: z
    .strictObject({
      rate: z.number().min(0).max(1).default(CANARY_RATE_DEFAULT),
      limit: z.number().min(0).lt(1).default(CANARY_LIMIT_DEFAULT),
      answers: z.array(z.json()).max(KNOWN_BAD_MAX).default([]),
    })
    .prefault({}),
});
