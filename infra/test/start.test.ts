/** The start command as its user meets it: real processes, a real terminal's signals, and nothing left behind. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { freePort } from "@contingent/embedded/ports";
import { ROOT } from "@contingent/embedded/services";
import { until } from "@contingent/testkit/until";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const START = path.join(ROOT, "infra/local/start.ts");
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;

interface Run {
  readonly process: ChildProcess;
  output(): string;
  ended(): Promise<number | null>;
}

const runs: Run[] = [];
let dataFolder = "";

beforeAll(() => {
  dataFolder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-start-"));
  fs.chmodSync(dataFolder, 0o755);
});

afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.process.kill("SIGINT");
    await run.ended();
  }
});

afterAll(() => fs.rmSync(dataFolder, { recursive: true, force: true }));

/** Runs the command on this test's data folder. */
function start(...args: readonly string[]): Run {
  // No key may slip in from the shell: these runs must cost nothing. And none may outlive a test run that is killed.
  const env = { ...process.env, ANTHROPIC_API_KEY: "", CONTINGENT_LAUNCHER_PID: String(process.pid) };
  const child = spawn(process.execPath, [START, "--data", dataFolder, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const run = { process: child, output: () => output, ended: () => exited };
  runs.push(run);
  return run;
}

async function running(run: Run): Promise<void> {
  await until(() => run.output().includes("Running.") || run.process.exitCode !== null, {
    timeoutMs: START_TIMEOUT_MS,
    what: "the system to run",
  });
  expect(run.output()).toContain("Running.");
}

/** Processes that work on our data folder or were started by this process. */
function processesOf(pid: number): readonly string[] {
  const table = spawnSync("ps", ["-ww", "-eo", "pid=,pgid=,ppid=,stat=,args="], { encoding: "utf8" }).stdout.split(
    "\n",
  );
  return table.filter((line) => {
    const [own, , parent, state = ""] = line.trim().split(/\s+/);
    if (state.startsWith("Z") || Number(own) === process.pid) return false;
    return Number(parent) === pid || line.includes(`${dataFolder}/`);
  });
}

function pidsOf(pid: number): readonly number[] {
  return processesOf(pid).map((line) => Number(line.trim().split(/\s+/)[0]));
}

function areGone(pids: readonly number[]): boolean {
  const table = spawnSync("ps", ["-eo", "pid=,stat="], { encoding: "utf8" }).stdout.split("\n");
  const alive = table.filter((line) => !/\sZ/.test(line)).map((line) => Number(line.trim().split(/\s+/)[0]));
  return pids.every((pid) => !alive.includes(pid));
}

const MONEY = "\\d+\\.\\d{2,9}";

function totalsIn(output: string): string {
  return /^all \(USD\).*$/m.exec(output)?.[0] ?? "";
}

describe("npm start", () => {
  it("--once runs every sample to its end, shows what came of them, and leaves no process; a second run bills nothing again", async () => {
    const run = start("--once");
    const code = await run.ended();
    const output = run.output();
    expect(code, output).toBe(0);
    expect(output).toContain("Everything is stopped.");
    expect(output).toMatch(/\d{2} jobs: \d+ × data-extraction, \d+ × code-generation/);
    expect(totalsIn(output)).toMatch(new RegExp(`^all \\(USD\\)(?: +\\d+){6}(?: +-?${MONEY}){4}$`));
    expect(output).toMatch(/One job that escalated: job_\w+[^]*1\. fast [^]*\[\w+\][^]*2\. [^]*bill: success/);
    expect(processesOf(run.process.pid ?? 0)).toEqual([]);
    expect(fs.existsSync(path.join(dataFolder, "lock"))).toBe(false);

    const second = start("--once");
    expect(await second.ended()).toBe(0);
    expect(second.output()).toMatch(/(\d+) jobs:[^]*\1 of these outcomes were bought before/);
    expect(totalsIn(second.output())).toBe(totalsIn(output));
  }, 120_000);

  it("the printed command really posts a job", async () => {
    const run = start("--port", String(await freePort()));
    await running(run);
    const [, command = ""] = /(curl -s [^]*?)\n\nRunning/.exec(run.output()) ?? [];
    const posted = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(JSON.parse(posted.stdout)).toMatchObject({
      object: "job",
      outcome_type: "code-generation",
      state: "closed",
    });
  }, 120_000);

  it("Ctrl-C drains and stops everything, and is a good end", async () => {
    const run = start("--no-samples");
    await running(run);
    const pids = pidsOf(run.process.pid ?? 0);
    expect(pids.length).toBeGreaterThanOrEqual(9);
    run.process.kill("SIGINT");
    expect(await run.ended()).toBe(0);
    expect(areGone(pids)).toBe(true);
  }, 120_000);

  it("killed with -9 it takes every process with it, and the next start repairs what it left", async () => {
    const run = start("--no-samples");
    await running(run);
    const pids = pidsOf(run.process.pid ?? 0);
    run.process.kill("SIGKILL");
    await until(() => areGone(pids), { timeoutMs: STOP_TIMEOUT_MS, what: "every process to be gone" });
    const next = start("--no-samples");
    await running(next);
    expect(next.output()).toContain("an earlier run was killed; taking over what it left");
  }, 120_000);

  it("a second start on the same data is refused in one sentence, and the first one goes on", async () => {
    const run = start("--no-samples");
    await running(run);
    const second = start("--no-samples");
    expect(await second.ended()).toBe(1);
    expect(second.output()).toBe(
      `Contingent runs on ${dataFolder} already (process ${run.process.pid}): stop that one, or choose another folder with --data.\n`,
    );
    expect(run.process.exitCode).toBeNull();
  }, 120_000);

  it("a port that was asked for and is in use is named in one sentence", async () => {
    const squatter = net.createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const run = start("--no-samples", "--port", String(port));
    expect(await run.ended()).toBe(1);
    expect(run.output()).toBe(`Port ${port} is in use: choose another with --port.\n`);
    await new Promise((resolve) => squatter.close(resolve));
  });

  it("when a service dies the end of its log is shown, the rest is stopped, and the exit code says so", async () => {
    const run = start("--no-samples");
    await running(run);
    const validator = processesOf(run.process.pid ?? 0).find((line) => line.includes("services/validator"));
    process.kill(Number(validator?.trim().split(/\s+/)[0]), "SIGKILL");
    expect(await run.ended()).toBe(1);
    expect(run.output()).toMatch(/validator stopped \(SIGKILL\)\. The end of .*validator\.log:\n[^]* +listening/);
    expect(processesOf(run.process.pid ?? 0)).toEqual([]);
  }, 120_000);

  it("an option that cannot be meant is refused with exit code 2", async () => {
    const run = start("--worker", "fast=2");
    expect(await run.ended()).toBe(2);
    expect(run.output()).toBe("Unknown option '--worker': npm start -- --help lists what there is.\n");
  });
});
