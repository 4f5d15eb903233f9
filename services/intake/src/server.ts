/** The HTTP server around the application, with a bound on everything that a client can be slow at. */
import { createServer, type Server } from "node:http";
import { closeServer, listen } from "@contingent/runtime/health";
import type { Express } from "express";
import { refuseConnections } from "./http/refuse-connection.ts";

/** How slow a client may be. */
export interface Patience {
  readonly headersMs: number;
  /** The longest upload of a bulk request. Other bodies have a bound of their own (read-body.ts). */
  readonly requestMs: number;
  /** How often connections are looked at for that. */
  readonly checkMs: number;
}

const PATIENCE: Patience = { headersMs: 10_000, requestMs: 30 * 60_000, checkMs: 5_000 };
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const HEADERS_MAX = 100;
/** Each has one request under way at most. More are closed as they come. */
const CONNECTIONS_MAX = 10_000;
const HEADER_BYTES_MAX = 16 * 1024;

export interface IntakeServer extends AsyncDisposable {
  readonly port: number;
}

/** @throws the system's error, such as EADDRINUSE */
export async function startIntakeServer(
  app: Express,
  host: string,
  port: number,
  patience: Patience = PATIENCE,
): Promise<IntakeServer> {
  const server: Server = createServer(
    {
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: patience.checkMs,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // The application asks for it, and has a form for its absence.
      requireHostHeader: false,
    },
    app,
  );
  server.maxHeadersCount = HEADERS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  // The same: what is expected in vain is the application's to refuse.
  server.on("checkExpectation", (request, response) => void server.emit("request", request, response));
  refuseConnections(server);
  const bound = await listen(server, host, port);
  return { port: bound, [Symbol.asyncDispose]: () => closeServer(server) };
}
