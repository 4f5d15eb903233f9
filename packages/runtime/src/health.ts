/**
 * `/healthz`: the process is worth keeping alive. `/readyz`: it can do its work now. Each is a set of named checks with a
 * timeout. The answers name checks and say how long they took, and nothing else: they are open to anybody who can connect.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const CHECK_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;
/** How often a server that closes looks for connections whose last request has been answered. */
const IDLE_INTERVAL_MS = 50;

/** Resolves when all is well; rejects otherwise. */
export type Check = () => Promise<void>;

export interface CheckResult {
  readonly ok: boolean;
  readonly duration_ms: number;
}

export interface HealthReport {
  readonly status: "ok" | "failing" | "draining";
  readonly service: string;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

export class Health {
  readonly #service: string;
  readonly #stopping: AbortSignal;
  readonly #live = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();
  readonly #underWay = new Map<Check, Promise<CheckResult>>();
  readonly #checkTimeoutMs: number;

  /** @param stopping aborted once the process drains: it is alive then, but not ready. */
  constructor(service: string, stopping: AbortSignal, checkTimeoutMs = CHECK_TIMEOUT_MS) {
    this.#service = service;
    this.#stopping = stopping;
    this.#checkTimeoutMs = checkTimeoutMs;
  }

  /** A check without which the process had better be restarted. */
  addLiveness(name: string, check: Check): void {
    this.#live.set(name, check);
  }

  /** A check without which the process should get no traffic. */
  addReadiness(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  live(): Promise<HealthReport> {
    return this.#report(this.#live);
  }

  /** A process that drains says so at once: load balancers have little time to hear of it, and checks may take long. */
  async ready(): Promise<HealthReport> {
    if (this.#stopping.aborted) return { status: "draining", service: this.#service, checks: {} };
    const report = await this.#report(this.#ready);
    return this.#stopping.aborted ? { ...report, status: "draining" } : report;
  }

  /** For `node:http` and for Express alike. */
  readonly handleLive = (_request: IncomingMessage, response: ServerResponse): void => {
    void this.live().then((report) => answer(response, report));
  };

  readonly handleReady = (_request: IncomingMessage, response: ServerResponse): void => {
    void this.ready().then((report) => answer(response, report));
  };

  async #report(checks: ReadonlyMap<string, Check>): Promise<HealthReport> {
    const results = await Promise.all(
      [...checks].map(async ([name, check]) => [name, await this.#run(check)] as const),
    );
    const failing = results.some(([, { ok }]) => !ok);
    return { status: failing ? "failing" : "ok", service: this.#service, checks: Object.fromEntries(results) };
  }

  /** A check that is under way is shared, so that a burst of probes costs one. */
  #run(check: Check): Promise<CheckResult> {
    const known = this.#underWay.get(check);
    if (known !== undefined) return known;
    const run = runCheck(check, this.#checkTimeoutMs).finally(() => this.#underWay.delete(check));
    this.#underWay.set(check, run);
    return run;
  }
}

async function runCheck(check: Check, timeoutMs: number): Promise<CheckResult> {
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const ok = await Promise.race([
    check().then(
      () => true,
      () => false,
    ),
    expired,
  ]);
  clearTimeout(timer);
  return { ok, duration_ms: Math.round(performance.now() - startedMs) };
}

function answer(response: ServerResponse, report: HealthReport): void {
  response.statusCode = report.status === "ok" ? 200 : 503;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(`${JSON.stringify(report)}\n`);
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/** Serves the two paths, for services that have no HTTP of their own. */
export async function startHealthServer(health: Health, host: string, port: number): Promise<HealthServer> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => {
      const path = request.url?.split("?")[0];
      if (request.method === "GET" && path === "/healthz") health.handleLive(request, response);
      else if (request.method === "GET" && path === "/readyz") health.handleReady(request, response);
      else response.writeHead(404).end();
    },
  );
  const boundPort = await listen(server, host, port);
  return { port: boundPort, [Symbol.asyncDispose]: () => closeServer(server) };
}

/**
 * Listens and returns the port that was bound.
 * @throws the system's error, such as EADDRINUSE
 */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Takes no new connection, lets requests that run end, and resolves when they have. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Node closes those that are idle now. One that is answered later would be kept for another request, for half a minute.
    const closing = setInterval(() => server.closeIdleConnections(), IDLE_INTERVAL_MS);
    server.close(() => {
      clearInterval(closing);
      resolve();
    });
  });
}
