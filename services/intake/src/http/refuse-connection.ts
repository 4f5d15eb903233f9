/**
 * Answers to what never became a request of the application's: Node's server would answer in a form of its own, or not at
 * all. They have the form that all errors have, and end the connection.
 */
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { ERRORS, type ErrorCode } from "@contingent/contracts/http/errors";
import { newId } from "@contingent/db/ids";
import { ApiError } from "./api-error.ts";
import { tellError } from "./respond.ts";

/** By what Node says of it. Everything else is no HTTP. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
  HPE_HEADER_OVERFLOW: "headers_too_large",
};
const METHODS = "GET, HEAD, POST, PUT";

/** What a connection is busy with. */
interface Business {
  /** Answers that have not ended. */
  readonly open: Set<ServerResponse>;
  last: ServerResponse;
}

/** Refuses on this server what no request listener gets to see. */
export function refuseConnections(server: Server): void {
  const businesses = new WeakMap<Duplex, Business>();
  server.on("request", (request, response) => {
    const business = businesses.get(request.socket) ?? { open: new Set(), last: response };
    businesses.set(request.socket, business);
    business.open.add(response);
    business.last = response;
    response.once("close", () => business.open.delete(response));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !isFree(businesses.get(socket))) socket.destroy();
    else refuse(socket, CODES[error.code ?? ""] ?? "malformed_request");
  });
  // Else Node closes the connection without a word.
  server.on("connect", (_request, socket) => {
    socket.once("error", () => socket.destroy());
    refuse(socket, "method_not_allowed", [`Allow: ${METHODS}`]);
  });
}

/**
 * Whether an error would be taken for what it is: the answer to what could not be read. It must not be put into an answer
 * that has begun, nor be the second one to a request, nor come before that to an earlier one.
 */
function isFree(business: Business | undefined): boolean {
  if (business === undefined) return true;
  const { open, last } = business;
  if (open.size === 0) return last.req.complete;
  return open.size === 1 && open.has(last) && !last.req.complete && !last.headersSent;
}

function refuse(socket: Duplex, code: ErrorCode, headers: readonly string[] = []): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, meaning, remedy } = ERRORS[code];
  const error = new ApiError(code, `${meaning} ${remedy}`);
  const id = newId("req");
  const text = JSON.stringify({ error: tellError(error, { id, docsUrl: "/docs/errors" }) });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    `X-Request-Id: ${id}`,
    "Cache-Control: no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
    ...headers,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`);
}
