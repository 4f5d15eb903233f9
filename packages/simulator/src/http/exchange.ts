/** One HTTP exchange: reading the body within bounds, writing answers that say what they are. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Json } from "@contingent/core/json";
import { parseJson } from "../json.ts";
import { type ApiError, invalidRequest, rateLimitHeaders, tooLarge } from "./errors.ts";

const NOTICE = "Simulated: no model was called and nothing is billed.";

export class Exchange {
  readonly requestId = `req_sim_${randomBytes(9).toString("base64url")}`;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted as soon as the client has gone away before the response was complete. */
  readonly gone = new AbortController();

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    response.on("close", () => {
      if (!response.writableFinished) this.gone.abort();
    });
  }

  header(name: string): string | null {
    const value = this.request.headers[name];
    return typeof value === "string" && value !== "" ? value : null;
  }

  /** The request's body as JSON. Throws 413 above the limit and 400 for what is not JSON. */
  async json(bytesMax: number): Promise<Json> {
    const declared = Number(this.header("content-length") ?? 0);
    if (declared > bytesMax) throw tooLarge(bytesMax);
    this.request.setEncoding("utf8");
    let text = "";
    for await (const chunk of this.request) {
      text += String(chunk);
      if (text.length > bytesMax) throw tooLarge(bytesMax);
    }
    const parsed = parseJson(text);
    if (parsed === undefined) throw invalidRequest("The request body is not valid JSON.");
    return parsed;
  }

  sendJson(status: number, body: object, headers: Record<string, string> = {}): void {
    const text = JSON.stringify(body);
    this.response.writeHead(status, {
      ...this.headers(),
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(text)),
      ...headers,
    });
    this.response.end(text);
  }

  /** A message's JSON, of which only the first half is sent before the connection breaks. */
  sendHalf(body: object): void {
    const text = JSON.stringify(body);
    this.response.writeHead(200, {
      ...this.headers(),
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(text)),
    });
    this.response.write(text.slice(0, text.length / 2), () => this.response.destroy());
  }

  sendError(error: ApiError): void {
    const body = error.body(this.requestId);
    this.sendJson(error.status, body, { ...error.headers, ...(error.status === 413 ? { connection: "close" } : {}) });
  }

  startStream(): void {
    this.response.writeHead(200, {
      ...this.headers(),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
  }

  /** One server-sent event whose name is its `type`. */
  event(data: { readonly type: string; readonly [field: string]: unknown }): void {
    this.response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** The headers of every response, errors included. */
  headers(): Record<string, string> {
    return {
      "request-id": this.requestId,
      "x-contingent-simulator": "true",
      "x-contingent-simulator-notice": NOTICE,
      ...rateLimitHeaders(0.9),
    };
  }
}
