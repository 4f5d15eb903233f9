/** From a step to the message that answers a request. */
import type { JsonObject } from "@contingent/core/json";
import { chance } from "./mind/chance.ts";
import { think, type Thought, type Wish } from "./mind/mind.ts";
import { readTask } from "./mind/task.ts";
import type { MessagesRequest } from "./http/request.ts";
import type { AnsweringStep } from "./script/step.ts";
import { charactersIn, inputTokensOf, tokensOf, usageOf } from "./usage.ts";

/** A message that is ready to be sent. */
export interface Reply {
  readonly text: string;
  readonly stopReason: "end_turn" | "max_tokens" | "refusal";
  readonly stopDetails: JsonObject | null;
  readonly outputTokens: number;
  readonly usage: JsonObject;
  /** The mistakes in the text, as far as the simulator made them. */
  readonly mistakes: readonly string[];
  /** The whole message as the API returns it. */
  message(): JsonObject;
}

/** What is answered to the request when the step says so. Depends on the seed and the prompt, never on the time. */
export function replyTo(request: MessagesRequest, step: AnsweringStep, seed: string, requestId: string): Reply {
  if (step.step === "refuse") {
    const stopDetails = {
      type: "refusal",
      category: step.category ?? null,
      explanation: "Simulated refusal: a script asked for it.",
    };
    return reply(
      request,
      requestId,
      { text: "", stopReason: "refusal", stopDetails, mistakes: ["refused"] },
      step.usage,
    );
  }
  const thought = thoughtOf(request, step, seed);
  const limit = charactersIn(request.outputTokensMax ?? Number.POSITIVE_INFINITY);
  const end = step.step === "truncate" ? Math.min(limit, Math.ceil(thought.text.length / 2)) : limit;
  const cut = thought.text.length > end;
  const { mistakes } = thought;
  if (!cut)
    return reply(
      request,
      requestId,
      { text: thought.text, stopReason: "end_turn", stopDetails: null, mistakes },
      step.usage,
    );
  const text = thought.text.slice(0, end);
  const truncated = [...mistakes, "truncated"];
  return reply(
    request,
    requestId,
    { text, stopReason: "max_tokens", stopDetails: null, mistakes: truncated },
    step.usage,
  );
}

function thoughtOf(request: MessagesRequest, step: AnsweringStep, seed: string): Thought {
  const wished = (wish: Wish): Thought =>
    think(readTask(request.system, request.user, request.schema), request.model, seed, wish);
  switch (step.step) {
    case "right":
    case "truncate":
      return wished("right");
    case "wrong":
      return wished({ wrong: step.spoil ?? null });
    case "model":
      return wished("model");
    case "answer":
      return given(step.text, []);
    case "answer_json":
      return given(JSON.stringify(step.json), []);
    case "garbage":
      return given('Certainly! Here is what I found:\n\n{"result": [1, 2,', ["garbage"]);
    case "refuse":
      return given("", ["refused"]);
  }
}

function reply(
  request: MessagesRequest,
  requestId: string,
  answer: Pick<Reply, "text" | "stopReason" | "stopDetails" | "mistakes">,
  usageChanges: JsonObject | undefined,
): Reply {
  const outputTokens = tokensOf(answer.text);
  const usage = usageOf(request, outputTokens, usageChanges);
  return {
    ...answer,
    outputTokens,
    usage,
    message: () => ({
      id: `msg_sim_${requestId.slice("req_sim_".length)}`,
      type: "message",
      role: "assistant",
      model: request.model.id,
      content: answer.text === "" ? [] : [{ type: "text", text: answer.text, citations: null }],
      stop_reason: answer.stopReason,
      stop_sequence: null,
      stop_details: answer.stopDetails,
      container: null,
      diagnostics: null,
      usage,
    }),
  };
}

function given(text: string, mistakes: readonly string[]): Thought {
  return { text, mistakes, difficulty: 0 };
}

/** A typical answer: what `latencyMs` is the time of, on the middle model. */
const TYPICAL_OUTPUT_TOKENS = 300;

/** How long the model takes for the answer, milliseconds: its pace, the length of the answer, and some spread by chance. */
export function latencyOf(request: MessagesRequest, answer: Reply, seed: string, latencyMs: number): number {
  if (latencyMs === 0) return 0;
  const length = 0.4 + (0.6 * answer.outputTokens) / TYPICAL_OUTPUT_TOKENS;
  const spread = 0.8 + 0.4 * chance(seed, "latency", request.model.id, String(inputTokensOf(request)), request.user);
  return latencyMs * request.model.pace * length * spread;
}
