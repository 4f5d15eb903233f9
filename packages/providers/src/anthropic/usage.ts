import type { Usage } from "@contingent/core/cost";
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { z } from "zod";

const tokens = z
  .int()
  .nonnegative()
  .nullish()
  .transform((count) => count ?? 0);

const usageSchema = z.object({
  input_tokens: z.int().nonnegative(),
  output_tokens: z.int().nonnegative(),
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_creation: z
    .object({ ephemeral_5m_input_tokens: tokens, ephemeral_1h_input_tokens: tokens })
    .nullish()
    .transform((classes) => classes ?? { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 }),
  service_tier: z.string().nullish(),
  speed: z.string().nullish(),
  inference_geo: z.string().nullish(),
});

/**
 * The API's usage report in the classes that have prices. Its `input_tokens` leave out what was read from or written to
 * the cache, as ours do.
 * @returns null for a report that cannot be read (a negative, fractional or missing count): it must not be guessed at
 */
export function usageFrom(raw: Json | undefined): Usage | null {
  const parsed = usageSchema.safeParse(raw);
  if (!parsed.success) return null;
  const usage = parsed.data;
  const { ephemeral_5m_input_tokens: written5m, ephemeral_1h_input_tokens: written1h } = usage.cache_creation;
  // Writes that are in the total and in no class are priced as the dearest class.
  const unclassed = Math.max(0, usage.cache_creation_input_tokens - written5m - written1h);
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens,
    cacheWrite5mTokens: written5m,
    cacheWrite1hTokens: written1h + unclassed,
    batch: usage.service_tier === "batch",
    fast: usage.speed === "fast",
    usOnly: usage.inference_geo === "us",
  };
}

/** The report of `message_start`, with the final figures of `message_delta` in their place. What is null there stays. */
export function mergedUsage(start: Json | undefined, delta: Json | undefined): JsonObject {
  const final = isJsonObject(delta) ? Object.entries(delta).filter(([, value]) => value !== null) : [];
  return { ...(isJsonObject(start) ? start : {}), ...Object.fromEntries(final) };
}
