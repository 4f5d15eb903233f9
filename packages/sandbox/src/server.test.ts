import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkNamed } from "@contingent/validators/registry";
import { afterAll, expect, test, vi } from "vitest";
import { isolation } from "./launch.ts";
import { sandboxAt } from "./sandbox.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(path.join(tmpdir(), "sandbox-test-"));
const socket = path.join(folder, "sandbox.sock");
const { diesWithParent } = await isolation();
const started: ChildProcess[] = [];

afterAll(() => {
  for (const each of started) each.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Starts the sandbox as a container does, and waits until it listens. */
async function startServer(): Promise<ChildProcess> {
  const server = spawn(process.execPath, [path.join(import.meta.dirname, "server-main.ts")], {
    env: { SANDBOX_SOCKET: socket },
    stdio: ["ignore", "pipe", "ignore"],
  });
  started.push(server);
  for await (const chunk of server.stdout ?? []) if (String(chunk).includes('"listening"')) break;
  return server;
}

const subject = { input: null, output: { a: 1 }, outputSchema: { required: ["b"] } };
const validator = checkNamed("json_schema");
if (validator === null) throw new Error("there is no json_schema");

test("a sandbox of its own answers over its socket, ends orderly, and its absence is no verdict but an error", async () => {
  const sandbox = sandboxAt(socket);
  await expect(sandbox.check()).rejects.toThrow("cannot be reached");
  // Asked before it is there: a container that starts is waited for.
  const early = sandbox.run(validator, subject, {});
  const server = await startServer();
  expect(await early).toMatchObject({ score: 0, findings: [{ path: "/b", code: "schema_required" }] });
  await sandbox.check();
  // Its user and group only.
  expect(statSync(socket).mode & 0o777).toBe(0o660);

  const many = await Promise.all(Array.from({ length: 50 }, () => sandbox.run(validator, subject, {})));
  expect(new Set(many.map(({ score }) => score))).toEqual(new Set([0]));

  // Somebody who does not keep to the form is cut off, and disturbs nobody.
  const rude = connect(socket);
  rude.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
  await new Promise((resolve) => rude.once("close", resolve));
  expect(await sandbox.run(validator, subject, {})).toMatchObject({ score: 0 });

  const gone = new Promise<number | null>((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  expect(await gone).toBe(0);
  await expect(sandbox.check()).rejects.toThrow("cannot be reached");
});

/** A process that starts a child which does `name`, says the child's id, and does nothing else. */
const PARENT = `
  const [, source, name] = process.argv;
  const { Pool } = await import(source + "/pool.ts");
  const { encodeRequest } = await import(source + "/wire.ts");
  const { LIMITS } = await import(source + "/bounds.ts");
  const pool = new Pool({ entry: source + "/hostile-child.fixture.ts", processes: 1, limits: { ...LIMITS, cpuMs: 60_000, wallMs: 60_000 } });
  const act = (name) => pool.run(encodeRequest({ name, version: 1 }, { input: null, output: null, outputSchema: {} }, {}));
  await act("pass");
  const [pid] = pool.pids;
  void act(name);
  setInterval(() => undefined, 1_000);
  console.log(pid);
`;

test.runIf(diesWithParent)("a child that computes and notices nothing ends with a parent that is killed", async () => {
  const args = ["--input-type=module-typescript", "--eval", PARENT, import.meta.dirname, "loop"];
  const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  started.push(parent);
  let pid = 0;
  for await (const chunk of parent.stdout ?? []) {
    pid = Number(String(chunk));
    break;
  }
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid), { timeout: 50_000 }).toBe(false);
});

test("a child ends when its pipe does, without the kernel's help", async () => {
  const main = path.join(import.meta.dirname, "child-main.ts");
  const child = spawn(process.execPath, [main], { env: {}, stdio: ["ignore", "ignore", "ignore", "pipe"] });
  started.push(child);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const pipe = child.stdio[3];
  // The first message: it is ready.
  await new Promise((resolve) => pipe?.once("data" as "close", resolve));
  pipe?.destroy();
  expect(await ended).toBe(0);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
