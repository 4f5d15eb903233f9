/** Token counts: an estimate that anybody can redo, the same for the count endpoint and for the bill. */
import type { JsonObject } from "@contingent/core/json";
import type { MessagesRequest } from "./http/request.ts";

const CHARACTERS_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REQUEST = 6;

/** About one token per four characters, at least one. */
export function tokensOf(text: string): number {
  return Math.max(1, Math.ceil(text.length / CHARACTERS_PER_TOKEN));
}

/** The characters that fit into so many tokens. */
export function charactersIn(tokens: number): number {
  return tokens * CHARACTERS_PER_TOKEN;
}

export function inputTokensOf(request: MessagesRequest): number {
  return TOKENS_PER_REQUEST + request.messageCount * TOKENS_PER_MESSAGE + tokensOf(request.countedText);
}

/** The `usage` of a message, every field that the API sends. `changes` overrides fields, for tests of cost. */
export function usageOf(request: MessagesRequest, outputTokens: number, changes: JsonObject = {}): JsonObject {
  return {
    input_tokens: inputTokensOf(request),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: null,
    service_tier: "standard",
    speed: request.speed,
    inference_geo: request.inferenceGeo,
    ...changes,
  };
}

/** The part of a usage that `message_delta` repeats, as cumulative figures. */
export function deltaUsage(usage: JsonObject): JsonObject {
  const kept = [
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
  ];
  return Object.fromEntries(kept.map((field) => [field, usage[field] ?? null]));
}
