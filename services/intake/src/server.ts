/** The HTTP server around the application, with a bound on everything that a client can be slow at. */
import { createServer, type Server } from "node:http";
import { closeServer, listen } from "@contingent/runtime/health";
import type { Express } from "express";

const HEADERS_TIMEOUT_MS = 10_000;
/** The longest upload of a bulk request. Other bodies have a bound of their own (read-body.ts). */
const REQUEST_TIMEOUT_MS = 30 * 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const HEADERS_MAX = 100;
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
  const bound = await listen(server, host, port);
  return { port: bound, [Symbol.asyncDispose]: () => closeServer(server) };
}
