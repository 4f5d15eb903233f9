/** What the simulator's own tests share: a server of their own and the real SDK in front of it. */
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { startSimulator, type Simulator, type SimulatorOptions } from "./server.ts";

export interface Pair extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly client: Anthropic;
}

/** A simulator on a free port and an SDK client that retries nothing. */
export async function startPair(options: SimulatorOptions = {}, apiKey = "test-key"): Promise<Pair> {
  const simulator = await startSimulator(options);
  const client = new Anthropic({ baseURL: simulator.url, apiKey, maxRetries: 0 });
  return { simulator, client, [Symbol.asyncDispose]: () => simulator.close() };
}

export const HAIKU = "claude-haiku-5-5";
export const SONNET = "claude-sonnet-5-5";
export const OPUS = "claude-opus-5-5";

export type Params = Anthropic.MessageCreateParamsNonStreaming;

export function ask(content: string, changes: Partial<Params> = {}): Params {
  return { model: HAIKU, max_tokens: 1_000, messages: [{ role: "user", content }], ...changes };
}

export function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

/** The error that a call failed with. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("The call was expected to fail, and succeeded.");
}

/** The API error that a call failed with. */
export async function apiErrorOf(call: Promise<unknown>): Promise<APIError> {
  const error = await failureOf(call);
  if (error instanceof APIError) return error;
  throw new Error("The call failed with something that is no API error.", { cause: error });
}
