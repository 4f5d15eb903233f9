import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { spawn } from "node:child_process";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startChild, tailOf, type Child } from "../src/children.ts";
import { isAlive } from "./alive.ts";
import { until } from "../src/wait.ts";

let folder = "";
const children: Child[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-children-"));
});

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(0)));
  fs.rmSync(folder, { recursive: true, force: true });
});

async function start(code: string): Promise<Child> {
  const child = await startChild({
    name: "child",
    command: process.execPath,
    args: ["--eval", code],
    env: { PATH: process.env["PATH"] },
    cwd: folder,
    logFile: path.join(folder, "child.log"),
    stage: "service",
    stopSignal: "SIGTERM",
  });
  children.push(child);
  return child;
}

function logOf(child: Child): string {
  return fs.readFileSync(child.logFile, "utf8");
}

it("a child that finishes its work when asked is given the time", async () => {
  const child = await start(
    "process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0); }, 100)); setInterval(() => {}, 1000); console.log('up')",
  );
  await until(() => logOf(child).includes("up"), { timeoutMs: 10_000 });
  expect(await child.stop(10_000)).toEqual({ code: 0, signal: null });
  expect(tailOf(child.logFile, 1)).toBe("drained");
});

it("a child that does not leave is killed when the grace is over, with what it started", async () => {
  const child = await start(
    "const other = require('child_process').spawn('sleep', ['600']); console.log('started ' + other.pid); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)",
  );
  const grandchild = await until(() => /started (\d+)/.exec(logOf(child))?.[1], { timeoutMs: 10_000 });
  expect(await child.stop(100)).toEqual({ code: null, signal: "SIGKILL" });
  await until(() => !isAlive(Number(grandchild)), { timeoutMs: 5_000, what: "the grandchild to be gone" });
});

it("children do not outlive a parent that is killed, even those that ignore every signal they can", async () => {
  const source = new URL("../src/children.ts", import.meta.url).href;
  const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
  const code = `
    const { startChild } = await import(${JSON.stringify(source)});
    const child = await startChild({ name: "c", command: process.execPath, args: ["--eval", ${JSON.stringify(stubborn)}], env: {},
      cwd: ${JSON.stringify(folder)}, logFile: ${JSON.stringify(path.join(folder, "c.log"))}, stage: "service", stopSignal: "SIGTERM" });
    console.log(child.pid);
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await until(() => !isAlive(pid), { timeoutMs: 15_000, what: "the child to be gone" });
});

it("a program that is not there is named", async () => {
  const missing = startChild({
    name: "ghost",
    command: path.join(folder, "nothing-here"),
    args: [],
    env: {},
    cwd: folder,
    logFile: path.join(folder, "ghost.log"),
    stage: "service",
    stopSignal: "SIGTERM",
  });
  await expect(missing).rejects.toThrow("ghost could not be started");
});
