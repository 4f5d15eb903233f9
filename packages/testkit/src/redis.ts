/** Redis for tests: a server of our own where the program can be found or installed, or the one at REDIS_URL. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { startChild, type Child } from "@contingent/embedded/children";
import { freePort } from "@contingent/embedded/ports";
import { reaper } from "@contingent/embedded/reaper";
import { Redis } from "ioredis";
import { REDIS_URL } from "./servers.ts";
import { until } from "./until.ts";

export interface RedisServer {
  readonly url: string;
  /** Ends it at once, as a crash would. Does nothing to a Redis that is not ours. */
  kill(): Promise<void>;
  /** Stops and continues its process, as a machine that stands still for a while. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port, with what its append-only file holds. */
  restart(options?: { readonly wiped?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** Where a Redis comes from: a program to start, or a server that runs already. */
export type RedisSource = { readonly program: string } | { readonly url: string };

const INSTALL_TIMEOUT_MS = 180_000;
const START_TIMEOUT_MS = 10_000;
const STOP_GRACE_MS = 5_000;
/** One for each system under test; a number that comes round again is emptied first. */
const DATABASES = 512;

/** REDIS_URL, else redis-server on PATH, else (as root on Debian) freshly installed, else null. */
export function findRedis(): RedisSource | null {
  const url = process.env["REDIS_URL"];
  if (url !== undefined && url !== "") return { url };
  const program = programOnPath() ?? (install() ? programOnPath() : null);
  return program === null ? null : { program };
}

function programOnPath(): string | null {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.map((folder) => path.join(folder, "redis-server")).find((file) => fs.existsSync(file)) ?? null;
}

function install(): boolean {
  if (process.getuid?.() !== 0 || !fs.existsSync("/etc/debian_version")) return false;
  process.stderr.write("There is no redis-server; installing Debian's (apt-get install redis-server)\n");
  // RUNLEVEL keeps the package from starting a server of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const aptGet = (...args: string[]): boolean =>
    spawnSync("apt-get", args, { env, stdio: "ignore", timeout: INSTALL_TIMEOUT_MS }).status === 0;
  const installed = (): boolean => aptGet("install", "--yes", "--no-install-recommends", "redis-server");
  return installed() || (aptGet("update") && installed());
}

/** A server that is configured as a queue's Redis must be: it evicts nothing, and writes an append-only file. */
export async function startRedis(source: RedisSource | null = findRedis()): Promise<RedisServer> {
  if (source === null) throw new Error("There is no Redis to start: set REDIS_URL or install redis-server.");
  if ("url" in source) return foreign(source.url);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-redis-"));
  reaper().tell({ do: "remove", folder });
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child = await launch(source.program, folder, port, url);
  return {
    url,
    async kill() {
      child.send("SIGKILL");
      await child.exited;
    },
    freeze: () => child.send("SIGSTOP"),
    thaw: () => child.send("SIGCONT"),
    async restart({ wiped = false } = {}) {
      await child.stop(STOP_GRACE_MS);
      if (wiped) for (const entry of fs.readdirSync(folder)) fs.rmSync(path.join(folder, entry), { recursive: true });
      child = await launch(source.program, folder, port, url);
    },
    async stop() {
      await child.stop(STOP_GRACE_MS);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function foreign(url: string): RedisServer {
  const nothing = async (): Promise<void> => undefined;
  const still = (): void => undefined;
  return { url, kill: nothing, freeze: still, thaw: still, restart: nothing, stop: nothing };
}

async function launch(program: string, folder: string, port: number, url: string): Promise<Child> {
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: "everysec",
    "maxmemory-policy": "noeviction",
    databases: String(DATABASES),
  };
  const child = await startChild({
    name: "redis",
    command: program,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
    cwd: folder,
    logFile: path.join(folder, "redis.log"),
    stage: "backing",
    stopSignal: "SIGTERM",
  });
  await until(() => answers(url), { timeoutMs: START_TIMEOUT_MS, what: "Redis to answer" });
  return child;
}

async function answers(url: string): Promise<boolean> {
  const reply = await withRedis(url, (client) => client.ping());
  return reply === "PONG";
}

export interface TestRedis {
  readonly url: string;
  /** Empties it. */
  drop(): Promise<void>;
}

/** A Redis database of its own, empty, on the server of this test run. */
export async function freshRedis(): Promise<TestRedis> {
  const server = process.env[REDIS_URL];
  if (server === undefined) throw new Error("This test run has no Redis: use describeEachTransport, which skips then.");
  const url = new URL(server);
  url.pathname = `/${await nextDatabase(server)}`;
  const flush = async (): Promise<void> => {
    await withRedis(url.href, (client) => client.flushdb());
  };
  await flush();
  return { url: url.href, drop: flush };
}

/** Counted in the server itself, because tests run in several processes. Number 0 holds the counter. */
async function nextDatabase(server: string): Promise<number> {
  return await withRedis(server, async (client) => {
    const [, databases] = await client.config("GET", "databases");
    return ((await client.incr("contingent-test:databases-taken")) % (Number(databases) - 1)) + 1;
  });
}

async function withRedis<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
