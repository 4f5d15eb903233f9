/** An HTTP server that answers as a test says: for what no well-behaved server, and no simulator of one, would send. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { ModelRequest, Provider } from "../provider.ts";
import { anthropic } from "./anthropic.ts";

export const KEY = "sk-ant-api03-canary-key-0123456789";

/** What arrived, in order. */
export interface Received {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

export interface Answering extends AsyncDisposable {
  readonly provider: Provider;
  readonly received: readonly Received[];
}

type Handler = (response: ServerResponse, received: Received) => void | Promise<void>;

/** A provider whose API is the handler. */
export async function answering(handler: Handler): Promise<Answering> {
  const received: Received[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await text(request)) as Record<string, unknown>;
    const one = { url: request.url ?? "", headers: request.headers, body };
    received.push(one);
    await handler(response, one);
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    provider: anthropic({ apiKey: KEY, baseUrl: `http://127.0.0.1:${address.port}` }),
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function requestOf(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: "claude-haiku-5-5",
    system: "You extract data.",
    user: "Invoice 17  of\ncanary-customer-42, total EUR 12.50",
    outputSchema: null,
    outputTokensMax: 500,
    ...changes,
  };
}

/** A signal that never fires. */
export function patient(): AbortSignal {
  return new AbortController().signal;
}

/** An error body as the API sends it. */
export function sendError(
  response: ServerResponse,
  status: number,
  error: { readonly type: string; readonly message: string; readonly details?: object },
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", "request-id": "req_011Canary", ...headers });
  response.end(JSON.stringify({ type: "error", error }));
}

export const USAGE = {
  input_tokens: 20,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  output_tokens: 1,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: "standard",
  speed: "standard",
  inference_geo: "global",
};

/** The events of an answer of one text. */
export function eventsOf(answer: string, changes: { stop?: string; start?: object; delta?: object } = {}): object[] {
  const message = { id: "msg_1", type: "message", role: "assistant", model: "m", content: [], stop_reason: null };
  return [
    { type: "message_start", message: { ...message, usage: { ...USAGE, ...changes.start } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: answer } },
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: changes.stop ?? "end_turn", stop_sequence: null },
      usage: { input_tokens: null, output_tokens: 7, ...changes.delta },
    },
    { type: "message_stop" },
  ];
}

export function startStream(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
}

export function sendEvents(response: ServerResponse, events: readonly object[]): void {
  for (const event of events) {
    const name = "type" in event ? String(event.type) : "message";
    response.write(`event: ${name}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

/** Sends text without end, as fast as it is taken; `watch` is told of the bytes that are on their way. */
export function sendWithoutEnd(response: ServerResponse, watch: (bytes: number) => void = () => undefined): void {
  startStream(response);
  sendEvents(response, eventsOf("").slice(0, 2));
  const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(65_536) } };
  const piece = `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`;
  let bytes = 0;
  const more = (): void => {
    let isTaken = true;
    while (isTaken && !response.destroyed) {
      isTaken = response.write(piece);
      bytes += piece.length;
      watch(bytes);
    }
  };
  response.on("drain", more);
  more();
}

export function sendAnswer(response: ServerResponse, ...args: Parameters<typeof eventsOf>): void {
  startStream(response);
  sendEvents(response, eventsOf(...args));
  response.end();
}
