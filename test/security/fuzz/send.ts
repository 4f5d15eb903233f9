/** Sends what no client library would send. */
import http from "node:http";
import type { WireRequest } from "./mischief.ts";

/** No answer by then: something hangs. */
const ANSWER_TIMEOUT_MS = 15_000;
/** Streams have no end: so much of them is looked at. */
const STREAM_BYTES_MAX = 1;

export interface WireAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export class Wire implements Disposable {
  readonly #url: URL;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  send({ method, target, headers, body }: WireRequest): Promise<WireAnswer> {
    const { hostname: host, port } = this.#url;
    const options = { host, port, method, path: target, headers: { ...headers }, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const request = http.request({ ...options, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      request.once("error", reject);
      request.once("response", (response) => void readAnswer(response).then(resolve, reject));
      request.end(body ?? undefined);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

async function readAnswer(response: http.IncomingMessage): Promise<WireAnswer> {
  const isStream = response.headers["content-type"] === "text/event-stream";
  const pieces: Buffer[] = [];
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    if (isStream && piece.length >= STREAM_BYTES_MAX) break;
  }
  const { statusCode: status = 0, headers } = response;
  return { status, headers, body: Buffer.concat(pieces).toString() };
}
