/** What the end-to-end tests sell: two sums. Small enough to be judged by eye, and it can be half right. */
import type { Json } from "@contingent/core/json";

export const NET_WRONG = 7;
export const INPUT = { a: 2, b: 3, tax: 1 };

/** Both sums hold: score 1. */
export const RIGHT = { a: 2, b: 3, net: 5, tax: 1, gross: 6 };
/** One of the two holds: score 0.5. */
export const HALF = { ...RIGHT, gross: 9 };
/** Neither holds: score 0. */
export const WRONG = { ...RIGHT, net: NET_WRONG, gross: 99 };

export const HAIKU = "claude-haiku-5-5";
export const OLD_HAIKU = "claude-haiku-4-5";
export const SONNET = "claude-sonnet-5-5";
export const OPUS = "claude-opus-5-5";

/** What a success costs the customer. */
export const PRICE = "0.05";

const NUMBERS = ["a", "b", "net", "tax", "gross"];

export interface Retry {
  readonly initial_delay_ms: number;
  readonly multiplier: number;
  readonly jitter: number;
  readonly delay_max_ms: number;
}

export interface StepChanges {
  readonly attempts_max?: number;
  readonly success_at?: number;
  readonly models?: readonly string[];
  readonly timeout_ms?: number;
  readonly retry?: Retry;
}

/** Tests that do not look at the waits between attempts have next to none. */
export const AT_ONCE: Retry = { initial_delay_ms: 5, multiplier: 1, jitter: 0, delay_max_ms: 5 };

/** A step of a cascade with one model and hardly any waits. */
export function step(tier: "fast" | "standard" | "premium", changes: StepChanges = {}): StepChanges & { tier: string } {
  const models = { fast: [HAIKU], standard: [SONNET], premium: [OPUS] };
  return { tier, models: models[tier], timeout_ms: 20_000, retry: AT_ONCE, ...changes };
}

export interface TypeChanges {
  readonly cascade?: readonly (StepChanges & { tier: string })[];
  readonly attempts_max?: number;
  readonly cost_cap?: string;
  readonly deadline_ms?: number;
  readonly output_tokens?: { readonly start: number; readonly min: number; readonly max: number };
  readonly validator?: Json;
  readonly success_at?: number;
  readonly partial_at?: number;
  readonly price?: Json;
  readonly validation?: Json;
  readonly acceptance?: Json;
  readonly rework?: boolean;
}

const OUTPUT_TOKENS = { start: 256, min: 64, max: 1_024 };

/** A definition of the outcome type. By default a job is tried twice on the fast tier, then once on each further one. */
export function sums(changes: TypeChanges = {}): unknown {
  return {
    description: "Adds numbers.",
    currency: "USD",
    // The marker comes first, so that the simulator's excerpts of prompts begin with it.
    prompt: { system: "Add the numbers.", user: "{{input.marker}} {{input.a}} {{input.b}} {{input.tax}}" },
    input_schema: {
      type: "object",
      properties: { marker: { type: "string" }, a: { type: "number" }, b: { type: "number" }, tax: { type: "number" } },
      required: ["marker", "a", "b", "tax"],
    },
    output_schema: {
      type: "object",
      properties: Object.fromEntries(NUMBERS.map((name) => [name, { type: "number" }])),
      required: NUMBERS,
      additionalProperties: false,
    },
    validator: {
      all: [
        { use: "json_schema", options: {} },
        {
          use: "arithmetic",
          options: {
            sums: [
              { total: "/net", parts: ["/a", "/b"] },
              { total: "/gross", parts: ["/net", "/tax"] },
            ],
          },
        },
      ],
    },
    success_at: 1,
    cascade: [
      step("fast", { attempts_max: 2 }),
      step("standard", { attempts_max: 1 }),
      step("premium", { attempts_max: 1 }),
    ],
    cost_cap: "0.10",
    deadline_ms: 60_000,
    output_tokens: OUTPUT_TOKENS,
    price: { shape: "binary", amount: PRICE },
    ...changes,
  };
}
