import { NO_USAGE, type Usage } from "@contingent/core/cost";
import type { Json } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { mergedUsage, usageFrom } from "./usage.ts";

describe("usageFrom", () => {
  test.each<[string, Json, Partial<Usage>]>([
    [
      "input without the cached tokens",
      { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: 90 },
      { cacheReadTokens: 90 },
    ],
    [
      "cache writes by their class",
      {
        input_tokens: 5,
        output_tokens: 2,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      },
      { cacheWrite5mTokens: 10, cacheWrite1hTokens: 20 },
    ],
    [
      "cache writes without a class, at the dearer one",
      { input_tokens: 5, output_tokens: 2, cache_creation_input_tokens: 30, cache_creation: null },
      { cacheWrite1hTokens: 30 },
    ],
    [
      "cache writes that only the classes know",
      { input_tokens: 5, output_tokens: 2, cache_creation: { ephemeral_5m_input_tokens: 10 } },
      { cacheWrite5mTokens: 10 },
    ],
    ["the batch service", { input_tokens: 5, output_tokens: 2, service_tier: "batch" }, { batch: true }],
    ["priority capacity as standard", { input_tokens: 5, output_tokens: 2, service_tier: "priority" }, {}],
    ["fast mode", { input_tokens: 5, output_tokens: 2, speed: "fast" }, { fast: true }],
    ["inference in the US", { input_tokens: 5, output_tokens: 2, inference_geo: "us" }, { usOnly: true }],
    ["inference anywhere", { input_tokens: 5, output_tokens: 2, inference_geo: "not_available", speed: null }, {}],
    ["fields of next year", { input_tokens: 5, output_tokens: 2, dreaming_tokens: 9 }, {}],
  ])("reads %s", (_, raw, expected) => {
    expect(usageFrom(raw)).toEqual({ ...NO_USAGE, inputTokens: 5, outputTokens: 2, ...expected });
  });

  test.each<[string, Json | undefined]>([
    ["nothing", undefined],
    ["null", null],
    ["a list", []],
    ["no input", { output_tokens: 2 }],
    ["no output", { input_tokens: 5 }],
    ["a negative count", { input_tokens: 5, output_tokens: 2, cache_read_input_tokens: -1 }],
    ["a fraction", { input_tokens: 5.5, output_tokens: 2 }],
    ["a text", { input_tokens: "5", output_tokens: 2 }],
    ["more than can be counted", { input_tokens: 2 ** 53, output_tokens: 2 }],
    [
      "a class that is no number",
      { input_tokens: 5, output_tokens: 2, cache_creation: { ephemeral_5m_input_tokens: "1" } },
    ],
  ])("does not guess at %s", (_, raw) => {
    expect(usageFrom(raw)).toBe(null);
  });
});

test("final figures take the place of the first ones; what is null in them does not", () => {
  const start = { input_tokens: 5, output_tokens: 1, service_tier: "standard", cache_creation: { a: 1 } };
  const delta = { input_tokens: null, output_tokens: 9, server_tool_use: null };
  expect(mergedUsage(start, delta)).toEqual({ ...start, output_tokens: 9 });
  expect(mergedUsage(undefined, undefined)).toEqual({});
});
