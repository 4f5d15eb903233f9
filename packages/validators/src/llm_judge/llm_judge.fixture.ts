/** A judge in a test: a model that replies as it is told, and a question to put to it. */
import type { Rate, Usage } from "@contingent/core/cost";
import { NO_USAGE } from "@contingent/core/cost";
import type { Json, JsonObject } from "@contingent/core/json";
import type { AskableModel, Means, ModelAnswer, ModelCall, Question } from "../inquiry.ts";
import { type JudgeOptions, judgeOptions } from "./options.ts";

/** 1 USD per million input tokens, 10 per million output tokens. */
export const RATE: Rate = {
  model: "claude-sonnet-5-5",
  provider: "anthropic",
  fromMs: 0,
  untilMs: null,
  bands: [
    {
      promptTokensMax: null,
      input: 1_000_000_000n,
      output: 10_000_000_000n,
      cacheWrite5m: null,
      cacheWrite1h: null,
      cacheRead: null,
    },
  ],
  fast: null,
};
export const USAGE: Usage = { ...NO_USAGE, inputTokens: 1_000, outputTokens: 100 };
/** What a call of `USAGE` costs, in nanos. */
export const CALL_COST = 2_000_000n;

/** What the model in the test makes of a call: a text, or an answer of its own. */
export type Judge = (call: ModelCall, n: number) => string | ModelAnswer;

export interface Sitting {
  readonly means: Means;
  /** Every call that was made. */
  readonly calls: readonly ModelCall[];
  /** How long was waited between calls, ms. */
  readonly waits: readonly number[];
}

/** @param tokens the upper bound of every prompt */
export function sitting(judge: Judge, { tokens = 1_000, suspended = false } = {}): Sitting {
  const calls: ModelCall[] = [];
  const waits: number[] = [];
  const askable: AskableModel = {
    provider: "anthropic",
    rate: RATE,
    inputTokensAtMost: () => tokens,
    async call(call) {
      calls.push(call);
      const said = judge(call, calls.length - 1);
      return typeof said === "string" ? answered(said) : said;
    },
  };
  const tiers: Readonly<Record<string, string>> = {
    "claude-haiku-5-5": "fast",
    "claude-sonnet-5-5": "standard",
    "claude-sonnet-5": "standard",
  };
  return {
    calls,
    waits,
    means: {
      wait: async (ms) => void waits.push(ms),
      signal: new AbortController().signal,
      model: (id) => (id === "claude-not-priced-1" ? null : askable),
      tierOf: (model) => tiers[model] ?? null,
      service: () => null,
      isSuspended: async () => suspended,
    },
  };
}

export function answered(text: string, changes: Partial<Extract<ModelAnswer, { kind: "answered" }>> = {}): ModelAnswer {
  return { kind: "answered", text, stop: "end", usage: USAGE, responseId: "msg_1", ...changes };
}

/** The reply that says the same of every criterion. */
export function saying(met: boolean, { outputSchema }: ModelCall, reason = "It is so."): string {
  const keys = Object.keys(outputSchema["properties"] as JsonObject);
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, { reason, met }])));
}

/** A reply that finds those criteria met whose text in the prompt has the word. */
export function sayingOf(call: ModelCall, word: string): string {
  const lines = [...call.system.matchAll(/^(c\d+): (.*)$/gm)];
  return JSON.stringify(
    Object.fromEntries(
      lines.map(([, key, text]) => [key, { reason: "See there.", met: text?.includes(word) === true }]),
    ),
  );
}

export function question(changes: Partial<Question> = {}): Question {
  return {
    inquiryId: "inq_0001",
    jobId: "job_0001",
    input: { document: "Invoice 17\nTotal 250.00" },
    output: { number: "17", total: 250 },
    outputSchema: { type: "object", properties: { number: { type: "string" }, total: { type: "number" } } },
    outcomeType: { name: "invoices", version: 1, description: "Reads invoices.", deliversFrom: 1 },
    producer: { provider: "anthropic", model: "claude-haiku-5-5", tier: "fast" },
    seed: "seed",
    ...changes,
  };
}

/** Options as they are after they were read; no canaries unless asked for. */
export function judging(changes: { readonly [name: string]: Json } = {}): JudgeOptions {
  return judgeOptions.parse({
    rubric: [{ criterion: "The number is right." }, { criterion: "The total is right.", weight: 3 }],
    models: ["claude-sonnet-5-5"],
    cost_max: "1",
    canaries: { rate: 0 },
    ...changes,
  });
}

/** A call that failed, by default before it was begun. */
export function failing(changes: Partial<Exclude<ModelAnswer, { kind: "answered" }>> = {}): ModelAnswer {
  return { kind: "unavailable", mayHaveBeenBilled: false, retryAfterMs: null, message: "Overloaded.", ...changes };
}
