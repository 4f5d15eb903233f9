/**
 * The start command as its user meets it: real processes, a real terminal's signals, and nothing left behind. Starting is what
 * takes long: three runs on one data folder tell one story, in which each test is a chapter.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { jobSchema } from "@contingent/contracts/http/job";
import { freePort } from "@contingent/embedded/ports";
import { ROOT } from "@contingent/embedded/services";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const START = path.join(ROOT, "infra/local/start.ts");
/** Generous: how long a start or the samples take depends on the machine. */
const TIMEOUT_MS = 110_000;
const TEST_TIMEOUT_MS = 2 * TIMEOUT_MS;

interface Run {
  readonly process: ChildProcess;
  readonly pid: number;
  output(): string;
  ended(): Promise<number | null>;
}

const runs: Run[] = [];
let dataFolder = "";

beforeAll(() => {
  dataFolder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-start-"));
  fs.chmodSync(dataFolder, 0o755);
});

afterAll(async () => {
  for (const run of runs) {
    run.process.kill("SIGINT");
    await run.ended();
  }
  fs.rmSync(dataFolder, { recursive: true, force: true });
});

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
  const run = { process: child, pid: child.pid ?? 0, output: () => output, ended: () => exited };
  runs.push(run);
  return run;
}

/** Waits until the run has said this. */
async function says(run: Run, said: string | RegExp): Promise<void> {
  const isSaid = (): boolean => (typeof said === "string" ? run.output().includes(said) : said.test(run.output()));
  await until(() => isSaid() || run.process.exitCode !== null, { timeoutMs: TIMEOUT_MS, what: String(said) });
  expect(run.output()).toMatch(said);
}

interface ProcessLine {
  readonly pid: number;
  readonly command: string;
}

/** Processes that work on our data folder or were started by this process. */
function processesOf({ pid }: Run): readonly ProcessLine[] {
  const table = spawnSync("ps", ["-ww", "-eo", "pid=,ppid=,stat=,args="], { encoding: "utf8" }).stdout.split("\n");
  return table.flatMap((line) => {
    const [, own, parent, state = "", command = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state.startsWith("Z") || Number(own) === process.pid) return [];
    return Number(parent) === pid || command.includes(`${dataFolder}/`) ? [{ pid: Number(own), command }] : [];
  });
}

/** Ends the one process whose command line has this, as a crash would. */
function kill(run: Run, part: string): void {
  const found = processesOf(run).find(({ command }) => command.includes(part));
  expect(found, `a process ${part}`).toBeDefined();
  process.kill(found?.pid ?? 0, "SIGKILL");
}

function areGone(processes: readonly ProcessLine[]): boolean {
  const table = spawnSync("ps", ["-eo", "pid=,stat="], { encoding: "utf8" }).stdout.split("\n");
  const alive = new Set(table.filter((line) => !/\sZ/.test(line)).map((line) => Number.parseInt(line.trim(), 10)));
  return processes.every(({ pid }) => !alive.has(pid));
}

const MONEY = "\\d+\\.\\d{2,9}";

/** The line of the table of results that begins like this. */
function resultIn(run: Run, beginning: string): readonly string[] {
  const line =
    run
      .output()
      .split("\n")
      .find((each) => each.startsWith(beginning)) ?? "";
  return line.slice(beginning.length).trim().split(/\s+/);
}

describe("npm start", () => {
  let first: Run;
  let firstTotals: readonly string[] = [];

  it(
    "goes on when the API and the validator are killed under its samples: they are started again, which is said in a line each",
    async () => {
      first = start("--port", String(await freePort()));
      await says(first, / jobs: \d+ × /);
      kill(first, "services/validator/src/main.ts");
      kill(first, "services/intake/src/main.ts");
      await says(first, "\nRunning.");
      const log = (name: string): string => path.join(dataFolder, `logs/${name}.log`);
      for (const name of ["validator", "intake"]) {
        expect(first.output()).toContain(
          `note  ${name} was ended by SIGKILL, and is started again (its log: ${log(name)})\n`,
        );
        expect(first.output()).toContain(`note  ${name} runs again\n`);
        // Of what was killed, too.
        expect(fs.readFileSync(log(name), "utf8").match(/"listening"/g)).toHaveLength(2);
      }
      expect(first.output()).not.toMatch(/^ +at /m);
    },
    TEST_TIMEOUT_MS,
  );

  it("has run every sample to its end, and shows what came of them", () => {
    const output = first.output();
    expect(output).toMatch(/\d{2} jobs: \d+ × data-extraction, \d+ × code-generation/);
    expect(output).toMatch(new RegExp(`^all \\(USD\\)(?: +\\d+){6}(?: +-?${MONEY}){4}$`, "m"));
    expect(output).toMatch(/One job that escalated: job_\w+[^]*1\. fast [^]*\[\w+\][^]*2\. [^]*bill: success/);
    expect(output).not.toContain("were bought before");
    firstTotals = resultIn(first, "data-extraction");
  });

  it("a second start on the same data is refused in one sentence, and the first one goes on", async () => {
    const second = start("--no-samples");
    expect(await second.ended()).toBe(1);
    expect(second.output()).toBe(
      `Contingent runs on ${dataFolder} already (process ${first.pid}): stop that one, or choose another folder with --data.\n`,
    );
    expect(first.process.exitCode).toBeNull();
  });

  it(
    "starts the database again, too, and the printed command really posts a job then",
    async () => {
      kill(first, "bin/postgres -D");
      await says(first, "note  postgres runs again\n");
      const [, command = ""] = /(curl -s [^]*?)\n\nRunning/.exec(first.output()) ?? [];
      // Services have to notice first that it is there again.
      const posted = await until(
        () => jobSchema.safeParse(JSON.parse(spawnSync("sh", ["-c", command], { encoding: "utf8" }).stdout)).data,
        {
          timeoutMs: TIMEOUT_MS,
          what: "a job to be accepted",
        },
      );
      expect(posted).toMatchObject({ object: "job", outcome_type: "code-generation", state: "closed" });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "killed with -9 it takes every process with it",
    async () => {
      const processes = processesOf(first);
      expect(processes.length).toBeGreaterThanOrEqual(9);
      first.process.kill("SIGKILL");
      await until(() => areGone(processes), { timeoutMs: TIMEOUT_MS, what: "every process to be gone" });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "repairs what a killed run left; Ctrl-C drains and stops everything, and is a good end",
    async () => {
      const run = start("--no-samples");
      await says(run, "\nRunning.");
      expect(run.output()).toContain("an earlier run was killed; taking over what it left");
      const processes = processesOf(run);
      run.process.kill("SIGINT");
      expect(await run.ended()).toBe(0);
      expect(areGone(processes)).toBe(true);
      expect(run.output()).not.toContain("started again");
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "--once ends after the samples, leaves no process, and bills nothing a second time",
    async () => {
      const run = start("--once");
      expect(await run.ended(), run.output()).toBe(0);
      expect(run.output()).toMatch(/(\d+) jobs:[^]*\1 of these outcomes were bought before/);
      expect(resultIn(run, "data-extraction")).toEqual(firstTotals);
      expect(run.output()).toContain("Everything is stopped.");
      expect(processesOf(run)).toEqual([]);
      expect(fs.existsSync(path.join(dataFolder, "lock"))).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );
});

describe("what cannot be meant is answered in one sentence", () => {
  it("a port that is in use", async () => {
    const squatter = net.createServer();
    await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
    const address = squatter.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const run = start("--no-samples", "--port", String(port));
    expect(await run.ended()).toBe(1);
    expect(run.output()).toBe(`Port ${port} is in use: choose another with --port.\n`);
    await new Promise((resolve) => squatter.close(resolve));
  });

  it("an option that does not exist, with exit code 2", async () => {
    const run = start("--worker", "fast=2");
    expect(await run.ended()).toBe(2);
    expect(run.output()).toBe("Unknown option '--worker': npm start -- --help lists what there is.\n");
  });
});
