/**
 * The Anthropic Messages API through its own SDK. The SDK retries twice by itself and sleeps as long as the server says;
 * that is switched off, because an attempt that the books do not know of is money lost out of sight.
 */
import { Anthropic } from "@anthropic-ai/sdk";
import { CountError, type CallResult, type ModelRequest, type Provider } from "../provider.ts";
import { emptyProgress, readAnswer } from "./answer.ts";
import { fetchOrNotConnected } from "./connect.ts";
import { failureOf } from "./failure.ts";
import { countParams, createParams } from "./request.ts";

/** A call is aborted by its signal. This stands behind it, for a caller whose signal never fires. */
const CALL_TIMEOUT_MS = 600_000;

export interface AnthropicOptions {
  readonly apiKey: string;
  /** Where the API is; undefined: at Anthropic. */
  readonly baseUrl?: string | undefined;
}

export function anthropicClient({ apiKey, baseUrl }: AnthropicOptions): Pick<Provider, "call" | "countInputTokens"> {
  const client = new Anthropic({
    apiKey,
    // Null, and not undefined, so that the SDK does not look into the environment for another address.
    baseURL: baseUrl ?? null,
    maxRetries: 0,
    timeout: CALL_TIMEOUT_MS,
    fetch: fetchOrNotConnected,
    logLevel: "off",
    logger: SILENT,
    // The SDK's spans become children of the active span as soon as a tracer provider is registered. Given explicitly,
    // so that no environment variable can make it record prompts. No trace headers: baggage is not the provider's.
    openTelemetry: { propagation: false, traces: { enabled: true, contentMode: "metadata_only" } },
  });

  const call = async (request: ModelRequest, signal: AbortSignal): Promise<CallResult> => {
    const progress = emptyProgress();
    if (signal.aborted) return NOT_STARTED;
    try {
      const sent = client.messages.create(createParams(request), { signal });
      const { data, response } = await sent.withResponse();
      return await readAnswer(data, response.headers, progress, signal);
    } catch (error) {
      return failureOf(error, { request, apiKey, signal, progress });
    }
  };

  const countInputTokens = async (request: ModelRequest, signal: AbortSignal): Promise<number> => {
    try {
      const { input_tokens } = await client.messages.countTokens(countParams(request), { signal });
      if (Number.isSafeInteger(input_tokens) && input_tokens >= 0) return input_tokens;
      throw new TypeError("input_tokens is no count");
    } catch (error) {
      const failure = failureOf(error, { request, apiKey, signal, progress: emptyProgress() });
      throw new CountError({ ...failure, mayHaveBeenBilled: false });
    }
  };

  return { call, countInputTokens };
}

/** There was no time left to begin with. */
const NOT_STARTED: CallResult = {
  kind: "timeout",
  mayHaveBeenBilled: false,
  retryAfterMs: null,
  message: "The attempt's time was over before its call was made.",
  usage: null,
};

const nothing = (): void => undefined;
const SILENT = { error: nothing, warn: nothing, info: nothing, debug: nothing };
