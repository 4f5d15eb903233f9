/** The launcher in a folder of its own, with the entries replaced: what it does before and around them. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ROOT } from "@contingent/embedded/services";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, it } from "vitest";

let clone = "";

beforeEach(() => {
  clone = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-clone-"));
  const manifests = fs.globSync("{.,infra,test,packages/*,services/*}/package.json", { cwd: ROOT });
  for (const file of [...manifests, "pnpm-lock.yaml", "pnpm-workspace.yaml", "infra/local/bootstrap.mjs"]) {
    fs.cpSync(path.join(ROOT, file), path.join(clone, file), { recursive: true });
  }
});

afterEach(() => fs.rmSync(clone, { recursive: true, force: true }));

/** Makes the launcher believe that the installation is up to date, with this as its start command. */
function installed(startCommand: string): void {
  fs.writeFileSync(path.join(clone, "infra/local/start.ts"), startCommand);
  fs.mkdirSync(path.join(clone, "node_modules"));
  fs.writeFileSync(path.join(clone, "node_modules/.modules.yaml"), "");
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) {
    hash.update(fs.readFileSync(path.join(clone, file)));
  }
  fs.mkdirSync(path.join(clone, ".cache"));
  fs.writeFileSync(path.join(clone, ".cache/installed"), hash.digest("hex"));
}

function command(...args: readonly string[]): [string, string[]] {
  return [process.execPath, [path.join(clone, "infra/local/bootstrap.mjs"), ...args]];
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): ReturnType<typeof spawnSync> {
  return spawnSync(...command(...args), { encoding: "utf8", env });
}

/** An environment in which no registry answers and nothing is cached. */
function offline(): NodeJS.ProcessEnv {
  const nowhere = "http://127.0.0.1:9";
  return {
    HOME: clone,
    PATH: process.env["PATH"],
    npm_config_registry: nowhere,
    npm_config_fetch_retries: "0",
    pnpm_config_registry: nowhere,
    pnpm_config_fetch_retries: "0",
    pnpm_config_store_dir: path.join(clone, "store"),
    https_proxy: nowhere,
  };
}

it("an installation that is up to date is not touched: arguments, terminal and exit code go straight through", () => {
  installed("process.stdout.write(JSON.stringify(process.argv.slice(2))); process.exit(7);");
  const { status, stdout, stderr } = run(["start", "--once", "--workers", "fast=3"]);
  expect([status, stdout, stderr]).toEqual([7, '["--once","--workers","fast=3"]', ""]);
});

it("a signal reaches the command, which may still finish its work", async () => {
  installed(`
    process.on("SIGTERM", () => setTimeout(() => { console.log("drained"); process.exit(0); }, 50));
    setInterval(() => {}, 1000);
    console.log("up");
  `);
  const [program, args] = command("start");
  const launcher = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  launcher.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise((resolve) => launcher.once("exit", (...how) => resolve(how)));
  await until(() => output.includes("up"), { timeoutMs: 20_000 });
  launcher.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  expect(output).toContain("drained");
});

it("a command that is killed is not mistaken for one that succeeded", () => {
  installed('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
  expect(run(["start"])).toMatchObject({ status: null, signal: "SIGKILL" });
});

it("without a network it says so in one sentence, and where the details are", () => {
  const { status, stderr } = run(["start"], offline());
  expect(status).toBe(1);
  expect(String(stderr)).toMatch(
    /could not be installed: the npm registry cannot be reached; check the network.*install\.log\)\n$/s,
  );
});

it("two first commands in one clone do not install at the same time, and a killed one does not block the next", async () => {
  installed("console.log('started')");
  // Another lockfile: an installation is needed, which the holder of the lock is busy with.
  fs.rmSync(path.join(clone, ".cache/installed"));
  const lock = path.join(clone, ".cache/install.lock");
  const holder = spawn("sleep", ["60"]);
  fs.writeFileSync(lock, String(holder.pid));
  const [program, args] = command("start");
  const waiting = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: offline() });
  let said = "";
  waiting.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await until(() => said.includes("Another command is installing in this clone"), { timeoutMs: 20_000 });
  const exited = new Promise((resolve) => waiting.once("exit", resolve));
  holder.kill("SIGKILL");
  await exited;
  expect(said).toContain("could not be installed");
  expect(fs.existsSync(lock)).toBe(false);
});

it("a verb that does not exist is answered with those that do", () => {
  const { status, stderr } = run(["fly"]);
  expect(status).toBe(1);
  expect(String(stderr)).toBe(
    '"fly" is not something to run: use one of start, test, check, format, bench, chaos, backup, restore, check:books, verify:chain, verify:receipt, sbom.\n',
  );
});
