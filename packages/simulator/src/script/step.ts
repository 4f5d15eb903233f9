/** What a script can make the simulator do with one request. The same form in process and over HTTP. */
import { z } from "zod";
import type { Json } from "@contingent/core/json";

const json: z.ZodType<Json> = z.json();
const usage = z.record(z.string(), json);
const MS_MAX = 600_000;

/** Steps that end in an answer; `usage` overrides fields of the bill, for tests of cost. */
const answering = z.discriminatedUnion("step", [
  /** The best answer that the simulator can compute. */
  z.strictObject({ step: z.literal("right"), usage: usage.optional() }),
  /** An answer with a mistake, of the given kind if it fits the answer. */
  z.strictObject({ step: z.literal("wrong"), spoil: z.string().optional(), usage: usage.optional() }),
  /** As able as the model is: what happens without a script. */
  z.strictObject({ step: z.literal("model"), usage: usage.optional() }),
  z.strictObject({ step: z.literal("answer"), text: z.string(), usage: usage.optional() }),
  z.strictObject({ step: z.literal("answer_json"), json, usage: usage.optional() }),
  /** Text that is not JSON, whatever was asked for. */
  z.strictObject({ step: z.literal("garbage"), usage: usage.optional() }),
  /** HTTP 200 with stop_reason `refusal` and no content. */
  z.strictObject({
    step: z.literal("refuse"),
    category: z.enum(["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]).optional(),
    usage: usage.optional(),
  }),
  /** The answer stops at max_tokens, or half-way when it is shorter than that. */
  z.strictObject({ step: z.literal("truncate"), usage: usage.optional() }),
]);

const failing = z.discriminatedUnion("step", [
  z.strictObject({ step: z.literal("overloaded") }),
  z.strictObject({
    step: z.literal("server_error"),
    status: z.union([z.literal(500), z.literal(502), z.literal(503), z.literal(504)]).optional(),
  }),
  z.strictObject({ step: z.literal("rate_limited"), retry_after_s: z.number().min(0).optional() }),
  z.strictObject({ step: z.literal("spend_limit") }),
  z.strictObject({ step: z.literal("bad_request"), message: z.string().optional() }),
  z.strictObject({ step: z.literal("unauthorized") }),
  z.strictObject({ step: z.literal("billing") }),
  z.strictObject({ step: z.literal("forbidden") }),
  /** No answer until the client goes away. */
  z.strictObject({ step: z.literal("hang") }),
  /** The connection breaks: before the response's head, after it, or half-way through the answer. */
  z.strictObject({ step: z.literal("cut"), at: z.enum(["head", "start", "half"]).optional() }),
]);

const NAMES = [
  "right",
  "wrong",
  "model",
  "garbage",
  "refuse",
  "truncate",
  "overloaded",
  "server_error",
  "rate_limited",
  "spend_limit",
  "bad_request",
  "unauthorized",
  "billing",
  "forbidden",
  "hang",
  "cut",
] as const;

const immediate = z.union([z.enum(NAMES), answering, failing]);

const waiting = z.discriminatedUnion("step", [
  /** Waits so long on top of the model's latency, then does `do` (default: a right answer). */
  z.strictObject({ step: z.literal("slow"), ms: z.number().min(0).max(MS_MAX), do: immediate.optional() }),
  /** Waits until it is released (`POST /__simulator/release`), then does `do` (default: a right answer). */
  z.strictObject({ step: z.literal("hold"), name: z.string().optional(), do: immediate.optional() }),
]);

const stepInput = z.union([z.literal("hold"), immediate, waiting]);

export const scriptInput = z.strictObject({
  /** A substring of the prompt (system, messages); empty or left out: every prompt. */
  match: z.string().optional(),
  /** Only requests to exactly this model. */
  model: z.string().optional(),
  endpoint: z.enum(["messages", "count_tokens"]).optional(),
  /** One step for one request, in the order in which the requests arrive. */
  steps: z.array(stepInput).min(1),
  /** What happens after the last step: the model decides (`model`, default) or the last step repeats (`last`). */
  afterwards: z.enum(["model", "last"]).optional(),
});

export type ScriptInput = z.input<typeof scriptInput>;
export type StepInput = z.input<typeof stepInput>;
export type AnsweringStep = z.output<typeof answering>;
export type FailingStep = z.output<typeof failing>;
export type ImmediateStep = AnsweringStep | FailingStep;

/** A step taken apart: first wait, then act. */
export interface Step {
  /** Milliseconds on top of the model's latency. */
  readonly delayMs: number;
  /** The name under which the request is held, or null. */
  readonly hold: string | null;
  readonly act: ImmediateStep;
}

/** The step as it is carried out, with the shorthands written out. */
export function readStep(input: z.output<typeof stepInput>): Step {
  if (input === "hold") return { delayMs: 0, hold: "", act: { step: "right" } };
  if (typeof input !== "string" && input.step === "hold") {
    return { delayMs: 0, hold: input.name ?? "", act: writtenOut(input.do ?? "right") };
  }
  if (typeof input !== "string" && input.step === "slow") {
    return { delayMs: input.ms, hold: null, act: writtenOut(input.do ?? "right") };
  }
  return { delayMs: 0, hold: null, act: writtenOut(input) };
}

function writtenOut(step: z.output<typeof immediate>): ImmediateStep {
  return typeof step === "string" ? { step } : step;
}

/** Whether the step ends in an answer (and a bill) and not in an error. */
export function isAnswering(step: ImmediateStep): step is AnsweringStep {
  switch (step.step) {
    case "right":
    case "wrong":
    case "model":
    case "answer":
    case "answer_json":
    case "garbage":
    case "refuse":
    case "truncate":
      return true;
    case "overloaded":
    case "server_error":
    case "rate_limited":
    case "spend_limit":
    case "bad_request":
    case "unauthorized":
    case "billing":
    case "forbidden":
    case "hang":
    case "cut":
      return false;
  }
}
