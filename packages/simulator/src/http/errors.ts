/** The API's errors: status, body and headers, as the SDK takes them apart. */

/** An error answer. `details.error_code` is what the SDK shows as `errorCode`. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly details: Readonly<Record<string, string>> | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    type: string,
    message: string,
    extra: { details?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.type = type;
    this.details = extra.details ?? null;
    this.headers = extra.headers ?? {};
  }

  /** The response's JSON body. */
  body(requestId: string): object {
    const details = this.details === null ? {} : { details: this.details };
    return { type: "error", error: { type: this.type, message: this.message, ...details }, request_id: requestId };
  }
}

export function invalidRequest(message: string): ApiError {
  return new ApiError(400, "invalid_request_error", message);
}

export function unauthorized(message: string): ApiError {
  return new ApiError(401, "authentication_error", message);
}

export function billingProblem(): ApiError {
  return new ApiError(
    402,
    "billing_error",
    "Your payment method was declined. Update it in the console's billing page.",
  );
}

export function forbidden(): ApiError {
  return new ApiError(403, "permission_error", "Your API key does not have permission to use the specified resource.");
}

export function notFound(message: string): ApiError {
  return new ApiError(404, "not_found_error", message);
}

export function tooLarge(bytesMax: number): ApiError {
  return new ApiError(413, "request_too_large", `Request exceeds the maximum allowed number of bytes (${bytesMax}).`);
}

/** A passing limit: `retry-after` says when to come back, the rate-limit headers which budget is used up. */
export function rateLimited(retryAfterS: number): ApiError {
  return new ApiError(429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit.", {
    headers: { "retry-after": String(retryAfterS), "x-should-retry": "true", ...rateLimitHeaders(0) },
  });
}

/** A limit that waiting does not lift: no `retry-after`, and the SDK must not retry. */
export function spendLimitReached(): ApiError {
  return new ApiError(429, "rate_limit_error", "Your organization has reached its monthly API usage threshold.", {
    details: { error_code: "enforced_spend_limit_reached" },
    headers: { "x-should-retry": "false" },
  });
}

export function serverError(status: number): ApiError {
  if (status === 504) return new ApiError(504, "timeout_error", "The request timed out while it was processed.");
  return new ApiError(status, "api_error", "Internal server error");
}

export function overloaded(): ApiError {
  return new ApiError(529, "overloaded_error", "Overloaded", { headers: { "x-should-retry": "true" } });
}

const LIMITS = { requests: 4_000, "input-tokens": 2_000_000, "output-tokens": 400_000, tokens: 2_400_000 } as const;

/** The `anthropic-ratelimit-*` headers with the given share (0 to 1) of every budget left. */
export function rateLimitHeaders(shareLeft: number): Record<string, string> {
  const reset = new Date(Date.now() + 60_000).toISOString();
  const headers: Record<string, string> = {};
  for (const [name, limit] of Object.entries(LIMITS)) {
    headers[`anthropic-ratelimit-${name}-limit`] = String(limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(Math.floor(limit * shareLeft));
    headers[`anthropic-ratelimit-${name}-reset`] = reset;
  }
  return headers;
}
