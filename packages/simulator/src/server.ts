/**
 * The simulator as a server: starts, routes, stops.
 *
 * It speaks the Messages API over a real socket, so that everything that can go wrong between a client and the API can
 * go wrong here too, on demand.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { inspect } from "node:util";
import { control, CONTROL_PREFIX } from "./control.ts";
import { ApiError, invalidRequest, notFound, serverError, unauthorized } from "./http/errors.ts";
import { Exchange } from "./http/exchange.ts";
import { Log, type BilledRecord, type RequestRecord } from "./log.ts";
import { countTokens, createMessage, type Context } from "./messages.ts";
import { findModel, modelInfo, MODELS } from "./models.ts";
import { Holds } from "./script/holds.ts";
import { Scripts } from "./script/scripts.ts";
import type { ScriptInput } from "./script/step.ts";

export type { BilledRecord, RequestRecord } from "./log.ts";
export type { ScriptInput, StepInput } from "./script/step.ts";

export interface SimulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Everything that looks like chance follows from it. */
  readonly seed?: string;
  /** Time of a typical answer of the middle model, milliseconds; 0 (the default) answers at once. */
  readonly latencyMs?: number;
  /** When given, only this key is accepted; otherwise any key that does not say `invalid`. */
  readonly apiKey?: string;
  /** Larger request bodies are answered with 413. */
  readonly bodyBytesMax?: number;
}

export interface Simulator extends AsyncDisposable {
  /** For the SDK's `baseURL`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Adds a script and returns its id. */
  script(script: ScriptInput): string;
  clearScripts(): void;
  /** Lets go the requests that are held under the name, or all; returns how many that were. */
  release(name?: string): number;
  /** How many requests are held now, under the name or at all. */
  held(name?: string): number;
  requests(): readonly RequestRecord[];
  billed(): readonly BilledRecord[];
  /** Forgets what was received and billed so far. */
  clearLog(): void;
  /** Resolves as soon as the condition holds; it is looked at whenever a request arrives or changes its state. */
  until(condition: (simulator: Simulator) => boolean): Promise<void>;
  /** Breaks every connection and stops listening. */
  close(): Promise<void>;
}

export const DEFAULT_SEED = "contingent";
/** The API's own limit for a request. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const context: Context = {
    seed: options.seed ?? DEFAULT_SEED,
    latencyMs: options.latencyMs ?? 0,
    bodyBytesMax: options.bodyBytesMax ?? BODY_BYTES_MAX,
    scripts: new Scripts(),
    holds: new Holds(),
    log: new Log(),
  };
  const apiKey = options.apiKey ?? null;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void serve(request, response, context, apiKey);
  });
  const host = options.host ?? "127.0.0.1";
  const port = await listen(server, host, options.port ?? 0);
  return simulatorOf(server, context, host, port);
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  context: Context,
  apiKey: string | null,
): Promise<void> {
  const exchange = new Exchange(request, response);
  try {
    await route(exchange, context, apiKey);
  } catch (error) {
    // A client that leaves while its body is read is nothing to report.
    if (exchange.gone.signal.aborted) return;
    if (!(error instanceof ApiError)) process.stderr.write(`${inspect(error)}\n`);
    exchange.sendError(error instanceof ApiError ? error : serverError(500));
  }
}

async function route(exchange: Exchange, context: Context, apiKey: string | null): Promise<void> {
  const [path = "/"] = (exchange.request.url ?? "/").split("?");
  const method = exchange.request.method ?? "GET";
  if (path.startsWith(CONTROL_PREFIX)) return control(exchange, context, path);
  authenticate(exchange, apiKey);
  if (method === "POST" && path === "/v1/messages") return createMessage(exchange, context);
  if (method === "POST" && path === "/v1/messages/count_tokens") return countTokens(exchange, context);
  if (method === "GET" && path === "/v1/models") return listModels(exchange);
  const [, id] = /^\/v1\/models\/([^/]+)$/.exec(path) ?? [];
  if (method === "GET" && id !== undefined) {
    const model = findModel(decodeURIComponent(id));
    if (model === null) throw notFound(`model: ${id}`);
    return exchange.sendJson(200, modelInfo(model));
  }
  throw notFound(`${method} ${path} is not something the simulator does`);
}

function authenticate(exchange: Exchange, apiKey: string | null): void {
  const bearer = exchange.header("authorization")?.replace(/^Bearer /, "") ?? null;
  const key = exchange.header("x-api-key") ?? bearer;
  if (key === null) throw unauthorized("x-api-key header is required");
  if (apiKey === null ? key.includes("invalid") : key !== apiKey) throw unauthorized("invalid x-api-key");
  if (exchange.header("anthropic-version") === null) throw invalidRequest("anthropic-version: header is required");
}

function listModels(exchange: Exchange): void {
  exchange.sendJson(200, {
    data: MODELS.map(modelInfo),
    first_id: MODELS[0]?.id ?? null,
    last_id: MODELS.at(-1)?.id ?? null,
    has_more: false,
    next_page: null,
  });
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The simulator has no port.");
  return address.port;
}

function simulatorOf(server: Server, context: Context, host: string, port: number): Simulator {
  const close = async (): Promise<void> => {
    context.holds.release(null);
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  const simulator: Simulator = {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    script: (script) => context.scripts.add(script),
    clearScripts: () => context.scripts.clear(),
    release: (name) => context.holds.release(name ?? null),
    held: (name) => context.holds.count(name ?? null),
    requests: () => context.log.requests(),
    billed: () => context.log.billed(),
    clearLog: () => context.log.clear(),
    until: (condition) => context.log.until(() => condition(simulator)),
    close,
    [Symbol.asyncDispose]: close,
  };
  return simulator;
}
