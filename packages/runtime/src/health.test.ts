import { Agent, createServer, get, type ServerResponse } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { closeServer, Health, type HealthServer, listen, startHealthServer } from "./health.ts";

const servers: HealthServer[] = [];

async function serve(
  health: Health,
): Promise<(path: string) => Promise<{ status: number; body: Record<string, unknown> }>> {
  const server = await startHealthServer(health, "127.0.0.1", 0);
  servers.push(server);
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    const text = await response.text();
    return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
}

describe("health", () => {
  afterEach(async () => {
    for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
  });

  it("is well when every check is", async () => {
    const health = new Health("worker", new AbortController().signal);
    health.addReadiness("postgres", async () => undefined);
    const get = await serve(health);
    expect(await get("/readyz")).toMatchObject({
      status: 200,
      body: { status: "ok", service: "worker", checks: { postgres: { ok: true } } },
    });
    expect((await get("/healthz?verbose")).status).toBe(200);
  });

  it("names the check that fails, without its error", async () => {
    const health = new Health("worker", new AbortController().signal);
    health.addReadiness("postgres", async () => undefined);
    health.addReadiness("queue", async () => {
      throw new Error("secret");
    });
    const answer = await (await serve(health))("/readyz");
    expect(answer).toMatchObject({ status: 503, body: { checks: { postgres: { ok: true }, queue: { ok: false } } } });
    expect(JSON.stringify(answer)).not.toContain("secret");
  });

  it("a process that is not ready is still alive", async () => {
    const health = new Health("worker", new AbortController().signal);
    health.addReadiness("queue", () => Promise.reject(new Error("away")));
    expect((await (await serve(health))("/healthz")).status).toBe(200);
  });

  it("a draining process is alive and not ready, and says so at once, whatever its checks wait for", async () => {
    const stop = new AbortController();
    const health = new Health("worker", stop.signal);
    health.addReadiness("database", () => new Promise(() => undefined));
    const get = await serve(health);
    stop.abort();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: { status: "draining" } });
    expect((await get("/healthz")).status).toBe(200);
  });

  it("a check that hangs fails after its timeout, and probes meanwhile share it", async () => {
    let calls = 0;
    const health = new Health("worker", new AbortController().signal, 50);
    health.addReadiness("queue", () => {
      calls += 1;
      return new Promise(() => undefined);
    });
    const reports = await Promise.all([health.ready(), health.ready(), health.ready()]);
    expect(reports.map(({ status }) => status)).toEqual(["failing", "failing", "failing"]);
    expect(calls).toBe(1);
  });

  it("serves nothing else", async () => {
    const get = await serve(new Health("worker", new AbortController().signal));
    expect((await get("/")).status).toBe(404);
  });

  it("a port in use is an error, not a hang", async () => {
    const health = new Health("worker", new AbortController().signal);
    await serve(health);
    await expect(startHealthServer(health, "127.0.0.1", servers[0]?.port ?? 0)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });
});

describe("a server that closes", () => {
  it("keeps no connection for the next request once the one that was under way is answered", async () => {
    const longerThanTheTest = 10 * 60_000;
    const begun: ServerResponse[] = [];
    const server = createServer({ keepAliveTimeout: longerThanTheTest }, (_, response) => void begun.push(response));
    const port = await listen(server, "127.0.0.1", 0);
    using agent = closing(new Agent({ keepAlive: true }));
    const asked = get({ host: "127.0.0.1", port, agent });
    const answered = once(asked, "response");
    await once(server, "request");
    const closed = closeServer(server);
    begun[0]?.end("done");
    await answered;
    await closed;
    expect(server.listening).toBe(false);
  });
});

function closing(agent: Agent): Agent & Disposable {
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}
