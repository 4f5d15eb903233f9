/** What became of a call that did not end in an answer: which kind, whether it may cost, what to do. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from "@anthropic-ai/sdk";
import type { CallFailed, ModelRequest } from "../provider.ts";
import { type Progress, usageSoFar } from "./answer.ts";
import { NotConnectedError } from "./connect.ts";
import { retryAfterFrom } from "./headers.ts";

export interface FailedCall {
  readonly request: ModelRequest;
  readonly apiKey: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

type Kind = CallFailed["kind"];
/** An error with what the API said of it. */
type ApiFailure = APIError<number | undefined, Headers | undefined, object | undefined>;

/** A budget that waiting does not refill: the operator must raise it. */
const SPEND_LIMITS: ReadonlySet<string> = new Set(["enforced_spend_limit_reached", "contract_spend_limit_reached"]);

/** Takes whatever was thrown apart. Unknown errors count as unavailable, and as billed. */
export function failureOf(error: unknown, call: FailedCall): CallFailed {
  const { progress, signal } = call;
  const failed = (kind: Kind, mayHaveBeenBilled: boolean, message: string): CallFailed => ({
    kind,
    mayHaveBeenBilled,
    retryAfterMs: null,
    message,
    usage: usageSoFar(progress),
  });
  if (error instanceof APIConnectionError && error.cause instanceof NotConnectedError) {
    const where = "The model API cannot be reached: check ANTHROPIC_BASE_URL, DNS, proxy and firewall.";
    return failed("unavailable", false, where);
  }
  if (signal.aborted || error instanceof APIConnectionTimeoutError)
    return failed("timeout", true, "The model API did not answer in the time that the attempt had.");
  if (error instanceof APIConnectionError || !(error instanceof APIError))
    return failed("unavailable", true, "The connection to the model API broke off before the answer was complete.");
  return refusedBy(error as ApiFailure, call);
}

/** An error that the API itself answered with: as a status, or as an event in a stream that had begun. */
function refusedBy(error: ApiFailure, call: FailedCall): CallFailed {
  const kind = kindOf(error);
  return {
    kind,
    // An error in place of an answer costs nothing. In the middle of one it does not undo the tokens before it.
    mayHaveBeenBilled: call.progress.hasStarted,
    retryAfterMs: kind === "rejected" ? null : retryAfterFrom(error.headers, Date.now()),
    message: `${adviceOn(error)} (${labelOf(error)})${detailOf(error, call)}`,
    usage: usageSoFar(call.progress),
  };
}

function kindOf(error: ApiFailure): Kind {
  if (error.errorCode !== null && SPEND_LIMITS.has(error.errorCode)) return "rejected";
  const status = error.status ?? STATUS_OF_TYPE[error.type ?? ""] ?? 500;
  if (status === 429) return "rate_limited";
  return status >= 500 || status === 408 || status === 409 ? "unavailable" : "rejected";
}

/** An error event in a stream has a type and no status. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

function adviceOn(error: ApiFailure): string {
  if (error.errorCode !== null && SPEND_LIMITS.has(error.errorCode))
    return "The provider account's spending limit is reached: raise it in the provider's console.";
  const status = error.status ?? STATUS_OF_TYPE[error.type ?? ""] ?? 500;
  switch (status) {
    case 400:
      return "The model API refused the request as invalid: correct the outcome type's prompt, schema or output limit.";
    case 401:
      return "The model API refused the key: set ANTHROPIC_API_KEY to a valid one and restart the workers.";
    case 402:
      return "The model API refused payment: settle the account in the provider's console.";
    case 403:
      return "The key may not use this model: grant it access in the provider's console, or use another key.";
    case 404:
      return "The model API does not know this model: correct the catalog, or ANTHROPIC_BASE_URL.";
    case 413:
      return "The request is too large for the model API: shorten the prompt or bound the input's size.";
    case 429:
      return "The model API asks for fewer requests: lower the concurrency or raise the account's rate limits.";
    case 529:
      return "The model API is overloaded: it will be tried again or another model used.";
    default:
      return status >= 500 || status === 408 || status === 409
        ? "The model API failed: it will be tried again or another model used."
        : "The model API refused the request.";
  }
}

/** Status, type, code and request id, as far as they have the form of such things. */
function labelOf(error: ApiFailure): string {
  const parts = [error.status, error.type, error.errorCode, error.requestID].filter(
    (part) => typeof part === "number" || (typeof part === "string" && /^[\w-]{1,64}$/.test(part)),
  );
  return parts.length === 0 ? "no status" : parts.join(" ");
}

const DETAIL_CHARACTERS_MAX = 200;
/** A shorter piece in common with the prompt is taken for chance. */
const ECHO_CHARACTERS_MIN = 10;

/** The API's own words, unless they repeat the key or the prompt. */
function detailOf(error: ApiFailure, { request, apiKey }: FailedCall): string {
  const words = (error.apiMessage ?? "").slice(0, DETAIL_CHARACTERS_MAX).replace(/\s+/g, " ").trim();
  const isEcho = words.includes(apiKey) || echoes(words, request.system) || echoes(words, request.user);
  return words === "" || isEcho ? "" : `: ${words}`;
}

function echoes(words: string, text: string): boolean {
  const spaced = text.replace(/\s+/g, " ");
  const last = Math.max(0, words.length - ECHO_CHARACTERS_MIN);
  for (let start = 0; start <= last; start++)
    if (spaced.includes(words.slice(start, start + ECHO_CHARACTERS_MIN))) return true;
  return false;
}
