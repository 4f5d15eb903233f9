import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { freePort } from "../src/ports.ts";
import { startPostgres, type Postgres, type PostgresOptions } from "../src/postgres.ts";
import { isAlive } from "./alive.ts";
import { until } from "../src/wait.ts";

let folder = "";
/** Where a server has been before. Most tests begin on a copy: to make the data anew would take the most of their time. */
let usedFolder = "";
const started: Postgres[] = [];

function makeFolder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-embedded-"));
  fs.chmodSync(made, 0o755);
  return made;
}

beforeAll(async () => {
  folder = makeFolder();
  usedFolder = folder;
  await (await start()).stop();
});

afterAll(() => fs.rmSync(usedFolder, { recursive: true, force: true }));

beforeEach(() => {
  folder = makeFolder();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
  fs.rmSync(folder, { recursive: true, force: true });
});

async function start(options: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const defaults = { folder: path.join(folder, "postgres"), logFile: path.join(folder, "postgres.log"), keep: "data" };
  const postgres = await startPostgres({ ...defaults, keep: "data", ...options });
  started.push(postgres);
  return postgres;
}

/** Gives the test's folder the data of a server that has been stopped. */
function haveUsedData(): void {
  execFileSync("cp", ["-a", path.join(usedFolder, "postgres"), folder]);
}

async function ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A process that starts a server on the folder and then only waits: what a start command that gets killed is like. */
async function startInAnotherProcess(): Promise<{ readonly process: ChildProcess; readonly pid: number }> {
  const source = new URL("../src/postgres.ts", import.meta.url).href;
  const code = `
    const { startPostgres } = await import(${JSON.stringify(source)});
    const options = ${JSON.stringify({ folder: path.join(folder, "postgres"), logFile: path.join(folder, "other.log"), keep: "data" })};
    const postgres = await startPostgres(options);
    console.log("up");
    setInterval(() => postgres, 1000);
  `;
  const other = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve, reject) => {
    other.stdout.once("data", resolve);
    other.once("exit", reject);
  });
  const pidFile = path.join(folder, "postgres/data/postmaster.pid");
  return { process: other, pid: Number(fs.readFileSync(pidFile, "utf8").split("\n")[0]) };
}

it("data is kept from one start to the next", async () => {
  haveUsedData();
  const first = await start();
  await first.ensureDatabase("kept");
  await ask(first.url("kept"), "CREATE TABLE note (text text)");
  await first.stop();
  const second = await start();
  expect(await ask(second.url("kept"), "SELECT to_regclass('note') IS NOT NULL AS found")).toEqual([{ found: true }]);
});

it("a folder that only its owner can enter is no obstacle: root's server keeps its data elsewhere, says where, and finds it again", async () => {
  fs.chmodSync(folder, 0o700);
  const said: string[] = [];
  const first = await start({ say: (line) => said.push(line) });
  await first.ensureDatabase("kept");
  await first.stop();
  const second = await start({ keep: "scratch" });
  expect(second.dataFolder).toBe(first.dataFolder);
  expect(await ask(second.url("kept"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  const asRoot = process.getuid?.() === 0;
  const note = `user "postgres" cannot enter ${folder}, so Postgres keeps its data in ${path.dirname(first.dataFolder)}`;
  expect(said).toEqual(asRoot ? [note] : []);
  await second.stop();
  expect(fs.existsSync(first.dataFolder)).toBe(false);
});

it("nobody gets in without the password, and only from this machine", async () => {
  haveUsedData();
  const postgres = await start();
  const wrong = postgres.url("postgres").replace(/:[0-9a-f]+@/, ":guess@");
  await expect(ask(wrong, "SELECT 1")).rejects.toThrow("password authentication failed");
  expect(await ask(postgres.url("postgres"), "SHOW listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
  expect(fs.statSync(path.join(folder, "postgres/password")).mode & 0o077).toBe(0);
});

it("a server whose starter is killed stops by itself", async () => {
  haveUsedData();
  const other = await startInAnotherProcess();
  other.process.kill("SIGKILL");
  await until(() => !isAlive(other.pid), { timeoutMs: 10_000, what: "the orphaned Postgres to stop" });
  expect(fs.readFileSync(path.join(folder, "other.log"), "utf8")).toContain("database system is shut down");
});

it("a server that an earlier run left behind is stopped, and its data used", async () => {
  haveUsedData();
  const other = await startInAnotherProcess();
  // Stopped, the starter notices nothing and its reaper does not act: the server stays, as after the worst of crashes.
  other.process.kill("SIGSTOP");
  const said: string[] = [];
  const postgres = await start({ say: (line) => said.push(line) });
  expect(said).toEqual([`stopping the Postgres (pid ${other.pid}) that an earlier run left behind`]);
  expect(await ask(postgres.url("postgres"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  other.process.kill("SIGKILL");
});

it("a pid file that names a process which is something else does no harm", async () => {
  haveUsedData();
  const pidFile = path.join(folder, "postgres/data/postmaster.pid");
  const dataFolder = path.dirname(pidFile);
  const bystander = spawn("sleep", ["60"], owner(dataFolder));
  fs.writeFileSync(pidFile, `${bystander.pid}\n${dataFolder}\n1700000000\n5432\n\n127.0.0.1\n`);
  const { uid, gid } = fs.statSync(dataFolder);
  fs.chownSync(pidFile, uid, gid);
  const said: string[] = [];
  const postgres = await start({ say: (line) => said.push(line) });
  expect(await ask(postgres.url("postgres"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  expect(said).toEqual(["repaired the pid file of a Postgres that an earlier run left behind"]);
  expect(bystander.exitCode).toBeNull();
  bystander.kill();
});

it("an initdb that was cut off is begun again", async () => {
  haveUsedData();
  const home = path.join(folder, "postgres");
  fs.renameSync(path.join(home, "data"), path.join(home, "data.unfinished"));
  expect(await ask((await start()).url("postgres"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

it("a port that is in use is named, with what to do", async () => {
  const port = await freePort();
  const squatter = net.createServer();
  await new Promise<void>((resolve) => squatter.listen(port, "127.0.0.1", resolve));
  await expect(start({ port })).rejects.toThrow(`Port ${port} is in use: choose another with --postgres-port`);
  await new Promise((resolve) => squatter.close(resolve));
});

it("data of another major version is refused, not touched", async () => {
  haveUsedData();
  const version = path.join(folder, "postgres/data/PG_VERSION");
  fs.writeFileSync(version, "17\n");
  await expect(start()).rejects.toThrow("was written by Postgres 17 and this is 18");
  expect(fs.readFileSync(version, "utf8")).toBe("17\n");
});

/** As the user that owns the data: only such a process makes Postgres hesitate. */
function owner(dataFolder: string): { readonly uid?: number; readonly gid?: number; readonly cwd: string } {
  const { uid, gid } = fs.statSync(dataFolder);
  return process.getuid?.() === 0 ? { uid, gid, cwd: "/" } : { cwd: "/" };
}
