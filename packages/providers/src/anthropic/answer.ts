/** Reads an answer off its stream, and keeps what was seen for the case that it breaks off. */
import type { RawMessageStreamEvent, StopReason } from "@anthropic-ai/sdk/resources/messages";
import type { Usage } from "@contingent/core/cost";
import type { Json, JsonObject } from "@contingent/core/json";
import type { Answered, CallFailed, CallResult } from "../provider.ts";
import { rateLimitFrom } from "./headers.ts";
import { mergedUsage, usageFrom } from "./usage.ts";

/** No answer is that long; whoever sends more is broken. In UTF-16 code units. */
const TEXT_CHARACTERS_MAX = 8_388_608;

/** How far a call got. */
export interface Progress {
  /** `message_start` arrived: tokens are being made. */
  hasStarted: boolean;
  responseId: string;
  rawUsage: JsonObject;
  text: string;
  stopReason: StopReason | null;
  isComplete: boolean;
}

export function emptyProgress(): Progress {
  return {
    hasStarted: false,
    responseId: "",
    rawUsage: {},
    text: "",
    stopReason: null,
    isComplete: false,
  };
}

/** What was reported so far, if anything can be read. */
export function usageSoFar(progress: Progress): Usage | null {
  return progress.hasStarted ? usageFrom(progress.rawUsage) : null;
}

/** Takes the whole answer. Errors of the stream are thrown; `progress` says how far it got. */
export async function readAnswer(
  stream: AsyncIterable<RawMessageStreamEvent>,
  headers: Headers,
  progress: Progress,
  signal: AbortSignal,
): Promise<CallResult> {
  for await (const event of stream) {
    apply(event, progress);
    if (progress.text.length > TEXT_CHARACTERS_MAX) return broken("The answer is endless", progress);
  }
  // An aborted stream ends as quietly as a complete one.
  if (!progress.isComplete) {
    signal.throwIfAborted();
    return broken("The answer broke off", progress);
  }
  return answered(progress, headers);
}

function apply(event: RawMessageStreamEvent, progress: Progress): void {
  switch (event.type) {
    case "message_start":
      progress.hasStarted = true;
      progress.responseId = event.message.id;
      progress.rawUsage = mergedUsage(asJson(event.message.usage), undefined);
      return;
    case "content_block_start":
      if (event.content_block.type === "text") progress.text += event.content_block.text;
      return;
    case "content_block_delta":
      if (event.delta.type === "text_delta") progress.text += event.delta.text;
      return;
    case "message_delta":
      progress.stopReason = event.delta.stop_reason;
      progress.rawUsage = mergedUsage(progress.rawUsage, asJson(event.usage));
      return;
    case "message_stop":
      progress.isComplete = true;
      return;
    case "content_block_stop":
      return;
  }
}

function answered(progress: Progress, headers: Headers): CallResult {
  const { stopReason, rawUsage, text, responseId } = progress;
  const usage = usageFrom(rawUsage);
  if (!progress.hasStarted || stopReason === null) return broken("The answer is incomplete", progress);
  if (usage === null) return broken("The answer came with a usage report that cannot be read", progress);
  const rateLimit = rateLimitFrom(headers);
  return { kind: "answered", text, stop: stopOf(stopReason), usage, rawUsage, responseId, rateLimit };
}

const STOPS: Readonly<Record<StopReason, Answered["stop"]>> = {
  end_turn: "end",
  stop_sequence: "end",
  // No tools are offered, so that a wish for one is an end like any other: the validator says what it is worth.
  tool_use: "end",
  max_tokens: "truncated",
  model_context_window_exceeded: "truncated",
  pause_turn: "truncated",
  refusal: "refused",
};

/** A reason that is newer than this table is an end too. */
function stopOf(reason: string): Answered["stop"] {
  return Object.entries(STOPS).find(([known]) => known === reason)?.[1] ?? "end";
}

/** Tokens were made and nobody knows how many: the caller books the worst case. */
function broken(what: string, progress: Progress): CallFailed {
  const message = `${what}. The call counts as spent at its worst case; another model or a later try may work.`;
  return { kind: "unavailable", mayHaveBeenBilled: true, retryAfterMs: null, message, usage: usageSoFar(progress) };
}

/** What the SDK hands out was parsed from JSON and typed by it; it is read as JSON again, and checked where it counts. */
function asJson(value: object): Json {
  return value as unknown as Json;
}
