/** The HTTP server around the application, with a bound on everything that a client can be slow at. */
import { createServer, type Server, STATUS_CODES } from "node:http";
import { closeServer, listen } from "@contingent/runtime/health";
import { ERRORS, type ErrorBody, type ErrorCode } from "@contingent/contracts/http/errors";
import { newId } from "@contingent/db/ids";
import type { Express } from "express";
import type { Duplex } from "node:stream";

const HEADERS_TIMEOUT_MS = 10_000;
/** The longest upload of a bulk request. Other bodies have a bound of their own (read-body.ts). */
const REQUEST_TIMEOUT_MS = 30 * 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const HEADERS_MAX = 100;
/** Each has one request under way at most. More are closed as they come. */
const CONNECTIONS_MAX = 10_000;
const HEADER_BYTES_MAX = 16 * 1024;

export interface IntakeServer extends AsyncDisposable {
  readonly port: number;
}

/** @throws the system's error, such as EADDRINUSE */
export async function startIntakeServer(app: Express, host: string, port: number): Promise<IntakeServer> {
  const server: Server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    app,
  );
  server.maxHeadersCount = HEADERS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  server.on("clientError", answerBadRequest);
  const bound = await listen(server, host, port);
  return { port: bound, [Symbol.asyncDispose]: () => closeServer(server) };
}

/** What never became a request that the application could answer. */
const BAD_REQUESTS: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
  HPE_HEADER_OVERFLOW: "headers_too_large",
};

function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const code = BAD_REQUESTS[error.code ?? ""] ?? "malformed_request";
  const { type, status, meaning, remedy } = ERRORS[code];
  const requestId = newId("req");
  const body: ErrorBody = {
    error: {
      type,
      code,
      message: `${meaning} ${remedy}`,
      param: null,
      doc_url: `/docs/errors#${code}`,
      request_id: requestId,
    },
  };
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-Id: ${requestId}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`);
}
