import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "@contingent/testkit/until";
import { afterEach, describe, expect, it } from "vitest";

const DEMO = fileURLToPath(new URL("./demo-main.ts", import.meta.url));
const PARENT = fileURLToPath(new URL("./parent-main.ts", import.meta.url));
const SOON = { timeoutMs: 10_000, intervalMs: 10 };

interface Line extends Record<string, unknown> {
  readonly msg: string;
}

interface Process {
  readonly pid: number;
  lines(): readonly Line[];
  kill(signal: NodeJS.Signals): void;
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Waits for a log line. */
  line(msg: string): Promise<Line>;
}

const running = new Set<Process>();

function start(main: string, env: Record<string, string> = {}, ...args: string[]): Process {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const lines = (): readonly Line[] =>
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  const exit = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const started: Process = {
    pid: child.pid ?? 0,
    lines,
    kill: (signal) => void child.kill(signal),
    exit,
    line: (msg) => until(() => lines().find((line) => line.msg === msg), { ...SOON, what: `"${msg}"` }),
  };
  running.add(started);
  return started;
}

afterEach(() => {
  for (const one of running) one.kill("SIGKILL");
  running.clear();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a service's life", () => {
  it("says where it listens, whatever the log level is, and answers there", async () => {
    const service = start(DEMO, { LOG_LEVEL: "silent" });
    const { port, service: name } = await service.line("listening");
    expect(name).toBe("demo");
    expect((await fetch(`http://127.0.0.1:${String(port)}/readyz`)).status).toBe(200);
  });

  it("SIGTERM drains it and it exits 0", async () => {
    const service = start(DEMO);
    await service.line("listening");
    service.kill("SIGTERM");
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.lines().map(({ msg }) => msg)).toEqual([
      "almost there",
      "listening",
      "draining",
      "closed the last part first",
      "stopped",
    ]);
  });

  it("SIGINT does, too; a second signal does not cut the drain short, and a draining service is not ready", async () => {
    const service = start(DEMO, { FAULT: "slow drain" });
    const { port } = await service.line("listening");
    service.kill("SIGINT");
    await service.line("draining");
    service.kill("SIGTERM");
    expect((await fetch(`http://127.0.0.1:${String(port)}/readyz`)).status).toBe(503);
    expect((await service.exit).code).toBe(0);
  });

  it("can be stopped while it starts", async () => {
    const service = start(DEMO, { FAULT: "hang in start" });
    await service.line("almost there");
    service.kill("SIGTERM");
    expect((await service.exit).code).toBe(0);
    expect(service.lines().map(({ msg }) => msg)).toContain("closed the last part first");
  });

  it("a bad configuration is one line per problem and exit code 78", async () => {
    const service = start(DEMO, { PORT: "http" });
    expect(await service.exit).toEqual({ code: 78, signal: null });
    expect(service.lines()[0]).toMatchObject({
      level: "fatal",
      msg: "PORT must be a whole number from 0 to 65535: set it to 0 to take a free port",
    });
  });

  it("a port in use is one line and exit code 75", async () => {
    const first = start(DEMO);
    const { port } = await first.line("listening");
    const second = start(DEMO, { PORT: String(port) });
    expect((await second.exit).code).toBe(75);
    expect(second.lines()[0]?.msg).toContain("EADDRINUSE");
  });

  it.each(["start", "uncaught"])("a defect (%s) ends it with exit code 70, without its text", async (fault) => {
    const service = start(DEMO, { FAULT: fault });
    expect((await service.exit).code).toBe(70);
    const fatal = service.lines().find(({ level }) => level === "fatal");
    expect(fatal).toMatchObject({ err: { type: "RangeError" } });
    expect(JSON.stringify(service.lines())).not.toContain("customer");
  });

  it("an armed failpoint kills it as kill -9 would, after saying so", async () => {
    const service = start(DEMO, { FAILPOINTS: "worker.claimed=exit" });
    expect(await service.exit).toEqual({ code: null, signal: "SIGKILL" });
    expect(service.lines().at(-1)).toMatchObject({ msg: "failpoint", failpoint: "worker.claimed" });
  });

  it.each(["ipc", "pid"])("dies with a parent that was killed (known by %s)", async (knowsBy) => {
    const parent = start(PARENT, {}, knowsBy);
    const { pid } = await parent.line("listening");
    parent.kill("SIGKILL");
    await until(() => !isAlive(Number(pid)), SOON);
    expect((await parent.line("draining"))["reason"]).toBe("parent is gone");
  });

  it("without a parent to watch it outlives who started it", async () => {
    const parent = start(PARENT, {}, "neither");
    const { pid, port } = await parent.line("listening");
    parent.kill("SIGKILL");
    await until(() => !isAlive(parent.pid), SOON);
    expect((await fetch(`http://127.0.0.1:${String(port)}/healthz`)).status).toBe(200);
    process.kill(Number(pid), "SIGKILL");
  });
});
