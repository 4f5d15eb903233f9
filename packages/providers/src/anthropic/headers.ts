/** What the API says in headers: how long to wait, and what is left of the rate limits. */
import type { RateBudget, RateLimit } from "../provider.ts";

/** A longer wait is not believed: the queue would sleep through the end of the trouble. */
const RETRY_AFTER_MS_MAX = 300_000;

/** How long the response asks us to wait (`retry-after-ms`, `retry-after` in seconds or as a date), or null. */
export function retryAfterFrom(headers: Headers | undefined, nowMs: number): number | null {
  const ms = numberFrom(headers?.get("retry-after-ms"));
  const text = headers?.get("retry-after") ?? "";
  const seconds = numberFrom(text);
  const untilMs = Date.parse(text);
  const asked = ms ?? (seconds === null ? untilMs - nowMs : seconds * 1_000);
  return Number.isFinite(asked) ? Math.ceil(Math.min(Math.max(asked, 0), RETRY_AFTER_MS_MAX)) : null;
}

/** The `anthropic-ratelimit-*` headers, or null when there are none. */
export function rateLimitFrom(headers: Headers): RateLimit | null {
  const limit: RateLimit = {
    requests: budgetFrom(headers, "requests"),
    tokens: budgetFrom(headers, "tokens"),
    inputTokens: budgetFrom(headers, "input-tokens"),
    outputTokens: budgetFrom(headers, "output-tokens"),
  };
  return Object.values(limit).every((budget) => budget === null) ? null : limit;
}

function budgetFrom(headers: Headers, name: string): RateBudget | null {
  const header = (part: string): string | null => headers.get(`anthropic-ratelimit-${name}-${part}`);
  const limit = numberFrom(header("limit"));
  const remaining = numberFrom(header("remaining"));
  const resetAtMs = Date.parse(header("reset") ?? "");
  return limit === null || remaining === null || Number.isNaN(resetAtMs) ? null : { limit, remaining, resetAtMs };
}

function numberFrom(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^\d{1,15}(?:\.\d{1,6})?$/.test(text.trim()) ? Number(text) : null;
}
