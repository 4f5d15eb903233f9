/**
 * The Anthropic Messages API. Its SDK is loaded by the first call (250 modules, a fifth of what it takes to start a worker):
 * validators seldom ask a model, and some tiers' workers have nothing to do for hours.
 */
import type { Provider } from "../provider.ts";
import type { AnthropicOptions } from "./client.ts";
import { inputTokensAtMost } from "./request.ts";

type Client = Pick<Provider, "call" | "countInputTokens">;

export function anthropic(options: AnthropicOptions): Provider {
  let loading: Promise<Client> | null = null;
  const client = (): Promise<Client> =>
    (loading ??= import("./client.ts").then(({ anthropicClient }) => anthropicClient(options)));
  return {
    name: "anthropic",
    call: async (request, signal) => await (await client()).call(request, signal),
    countInputTokens: async (request, signal) => await (await client()).countInputTokens(request, signal),
    inputTokensAtMost,
  };
}
