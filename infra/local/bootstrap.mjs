// The first thing that runs in a fresh clone, on whatever Node is there (18 or newer) and without any dependency.
//
//   node infra/local/bootstrap.mjs <start|test|check|format|bench|chaos|sbom|backup|restore|check:books|verify:chain|verify:receipt> [arguments]
//
// It finds a Node that runs TypeScript and a pnpm that reads the lockfile, or brings both from the npm registry into
// `.cache/toolchain`; installs the workspace when the lockfile has changed since the last time; and then hands over:
// the entry runs with this terminal, these arguments and these signals, and its exit code is the exit code.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ENTRIES = {
  start: ["infra/local/start.ts"],
  test: ["infra/local/test.ts"],
  check: ["infra/local/test.ts", "--static"],
  format: ["infra/local/test.ts", "--format"],
  bench: ["test/bench/main.ts"],
  chaos: ["test/fault/chaos/chaos-main.ts"],
  backup: ["infra/local/backup.ts"],
  restore: ["infra/local/restore.ts"],
  "check:books": ["infra/local/check-books.ts"],
  "verify:chain": ["infra/local/verify-chain.ts"],
  "verify:receipt": ["infra/receipt/verify-receipt.mjs"],
};

/** What the package manager does by itself. `sbom`: everything that production installs, with versions and licences (CycloneDX). */
const BY_PNPM = { sbom: ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application", "--prod"] };

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const CACHE = path.join(ROOT, ".cache");
const TOOLCHAIN = path.join(CACHE, "toolchain");
const STAMP = path.join(CACHE, "installed");
const LOG = path.join(CACHE, "install.log");

/** What is brought when the machine's own is not good enough. Exact, so that every machine gets the same. */
const NODE_BROUGHT = "24.21.0";
const NODE_MIN = [24, 12];
const PNPM_MAJOR = 12;
const DISK_NEEDED_BYTES = 1_000_000_000;
/** With less than this left, whatever failed failed for want of space. */
const DISK_FULL_BYTES = 20_000_000;
const PROBE_TIMEOUT_MS = 10_000;

const WINDOWS = process.platform === "win32";

/** A failure that is told in one sentence. */
class Refusal extends Error {}

async function main() {
  const [verb, ...rest] = process.argv.slice(2);
  const commands = { ...ENTRIES, ...BY_PNPM };
  if (!Object.hasOwn(commands, verb ?? "")) {
    throw new Refusal(`"${verb ?? ""}" is not something to run: use one of ${Object.keys(commands).join(", ")}.`);
  }
  fs.mkdirSync(CACHE, { recursive: true });
  const installNeeded = !isInstalled();
  let node = goodNode();
  if (node === null || installNeeded) {
    await withInstallLock(() => {
      node = goodNode() ?? bringToolchain();
      if (!isInstalled()) install(node);
    });
  }
  const [first, ...own] = commands[verb];
  if (Object.hasOwn(BY_PNPM, verb)) await handOver(node, neededPnpm(), [first, ...own, ...rest]);
  else await handOver(node, node, [path.join(ROOT, first), ...own, ...rest]);
}

/** The Node that runs this file if it is new enough, else the one brought earlier, else null. */
function goodNode() {
  if (isGoodNodeVersion(process.versions.node)) return process.execPath;
  const brought = path.join(TOOLCHAIN, "node_modules/node/bin", WINDOWS ? "node.exe" : "node");
  if (!fs.existsSync(brought)) return null;
  return isGoodNodeVersion(versionOf(brought)) ? brought : null;
}

/** Type stripping is stable from 24.12. Odd majors are left out: the test runner does not support them. */
function isGoodNodeVersion(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === NODE_MIN[0]) return minor >= NODE_MIN[1];
  return major > NODE_MIN[0] && major % 2 === 0;
}

/** The pnpm on PATH if it reads our lockfile, else the one brought earlier, else null. */
function goodPnpm() {
  const brought = path.join(TOOLCHAIN, "node_modules/pnpm", WINDOWS ? "pnpm.exe" : "pnpm");
  for (const candidate of ["pnpm", brought]) {
    if (Number(versionOf(candidate).split(".")[0]) === PNPM_MAJOR) return candidate;
  }
  return null;
}

/** The version that a command prints, or "". Asked outside the clone, where no project setting makes it fetch another. */
function versionOf(command) {
  const env = { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: "0", COREPACK_ENABLE_NETWORK: "0" };
  const answer = spawnSync(command, ["--version"], {
    cwd: os.tmpdir(),
    env,
    encoding: "utf8",
    timeout: PROBE_TIMEOUT_MS,
  });
  return answer.status === 0 ? answer.stdout.trim().replace(/^v/, "") : "";
}

/** Installs Node and pnpm from the npm registry into the clone's cache. Returns the Node. */
function bringToolchain() {
  const reason = isGoodNodeVersion(process.versions.node)
    ? `There is no pnpm ${PNPM_MAJOR}`
    : `Node ${process.versions.node} is not one that this runs on`;
  say(`${reason}; bringing Node ${NODE_BROUGHT} and pnpm into .cache/toolchain`);
  checkDisk();
  fs.mkdirSync(TOOLCHAIN, { recursive: true });
  const manifest = {
    name: "toolchain",
    private: true,
    // npm 11 runs no install script that is not named here; older ones ignore the field. Node's is what fetches the binary.
    allowScripts: { node: true, pnpm: true },
    dependencies: { node: NODE_BROUGHT, pnpm: pnpmVersion() },
  };
  fs.writeFileSync(path.join(TOOLCHAIN, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const npm = npmCommand();
  const args = [
    "install",
    "--prefix",
    TOOLCHAIN,
    "--ignore-scripts=false",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  runLogged(npm.command, [...npm.args, ...args], TOOLCHAIN, npm.shell, "Node and pnpm could not be installed");
  const node = goodNode();
  if (node === null) {
    throw new Refusal(
      `npm installed no working Node ${NODE_BROUGHT} for ${process.platform}/${process.arch}: install Node 24.12 or newer yourself and try again (details: ${LOG}).`,
    );
  }
  return node;
}

/** The pnpm that wrote the lockfile, as package.json says. */
function pnpmVersion() {
  return JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).devEngines.packageManager.version;
}

/** The npm that started us when there is one (so that its Node and settings are used), else the one on PATH. */
function npmCommand() {
  const execPath = process.env.npm_execpath ?? "";
  if (/npm-cli\.[cm]?js$/.test(execPath)) return { command: process.execPath, args: [execPath], shell: false };
  return { command: WINDOWS ? "npm.cmd" : "npm", args: [], shell: WINDOWS };
}

function isInstalled() {
  try {
    return (
      fs.readFileSync(STAMP, "utf8") === installKey() && fs.existsSync(path.join(ROOT, "node_modules/.modules.yaml"))
    );
  } catch {
    return false;
  }
}

/** Changes with everything that an installation depends on. */
function installKey() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"])
    hash.update(fs.readFileSync(path.join(ROOT, file)));
  return hash.digest("hex");
}

function install(node) {
  const pnpm = neededPnpm();
  say("Installing dependencies (only after the lockfile changed)");
  checkDisk();
  const started = Date.now();
  const args = ["install", "--frozen-lockfile", "--config.confirmModulesPurge=false", "--reporter=append-only"];
  runLogged(pnpm, args, ROOT, false, "The dependencies could not be installed", node);
  fs.writeFileSync(STAMP, installKey());
  say(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** A pnpm, brought where there is none. */
function neededPnpm() {
  const found = goodPnpm();
  if (found !== null) return found;
  bringToolchain();
  const brought = goodPnpm();
  if (brought !== null) return brought;
  throw new Refusal(
    `pnpm ${PNPM_MAJOR} could not be brought: install it yourself (npm install --global pnpm@${PNPM_MAJOR}) and try again.`,
  );
}

/** Runs a command with its output in the log; a failure becomes one sentence. */
function runLogged(command, args, cwd, shell, failure, node = process.execPath) {
  const log = fs.openSync(LOG, "w");
  const result = spawnSync(command, args, { cwd, shell, stdio: ["ignore", log, log], env: environment(node) });
  fs.closeSync(log);
  if (result.error !== undefined)
    throw new Refusal(`${failure}: ${command} cannot be run (${result.error.code ?? result.error.message}).`);
  if (result.signal !== null) throw new Refusal(`${failure}: interrupted by ${result.signal}.`);
  if (result.status !== 0) throw new Refusal(`${failure}: ${causeIn(fs.readFileSync(LOG, "utf8"))} (details: ${LOG})`);
}

/** What a package manager's output means, in words that say what to do. */
function causeIn(output) {
  if (/ENOSPC/.test(output) || freeBytes() < DISK_FULL_BYTES) return "the disk is full; free about 1 GB and try again.";
  if (/EACCES|EPERM|EROFS/.test(output))
    return "a folder cannot be written; the clone, your npm cache and your pnpm store must be yours.";
  if (/OUTDATED_LOCKFILE|LOCKFILE_(?:MISSING|BREAKING|CONFIG)/.test(output)) {
    return "pnpm-lock.yaml does not match a package.json; run `pnpm install` and commit the lockfile.";
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network|fetch failed|dns error|error sending request/i.test(
      output,
    )
  ) {
    return "the npm registry cannot be reached; check the network, or `npm config get registry` and the proxy settings.";
  }
  const lines = output.split("\n").map((line) => line.replace(/^npm error ?/, "").trim());
  // The line of an exception says more than the summary around it.
  const telling = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.find((line) => /err/i.test(line));
  return telling ?? "it stopped without saying why.";
}

/** Without npm's own variables, which would tell a nested npm or pnpm that it is being run in another folder. */
function environment(node) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?:package|lifecycle|command|config_(?:local_|global_)?prefix)/.test(name),
    ),
  );
  return { ...env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}` };
}

function checkDisk() {
  const free = freeBytes();
  if (free < DISK_NEEDED_BYTES) {
    throw new Refusal(
      `Only ${Math.floor(free / 1e6)} MB are free where ${ROOT} lies; an installation needs about ${DISK_NEEDED_BYTES / 1e6} MB.`,
    );
  }
}

function freeBytes() {
  if (typeof fs.statfsSync !== "function") return Number.POSITIVE_INFINITY;
  const { bavail, bsize } = fs.statfsSync(CACHE);
  return bavail * bsize;
}

/** Two commands in one fresh clone must not install at the same time: the second waits for the first. */
async function withInstallLock(work) {
  const lock = path.join(CACHE, "install.lock");
  let told = false;
  for (;;) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!lockHolderLives(lock)) fs.rmSync(lock, { force: true });
    else if (!told) {
      say("Another command is installing in this clone; waiting for it");
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function lockHolderLives(lock) {
  try {
    const pid = Number(fs.readFileSync(lock, "utf8"));
    // The file is empty for an instant while its owner writes it.
    if (pid === 0) return Date.now() - fs.statSync(lock).mtimeMs < 2_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs the entry as if it had been called directly. */
async function handOver(node, command, args) {
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ""}`,
    // The entry stops when this process is gone, even if it was killed and could pass nothing on.
    CONTINGENT_LAUNCHER_PID: String(process.pid),
  };
  const child = spawn(command, args, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (...how) => resolve(how));
  });
  if (signal === null) process.exit(code);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
  process.kill(process.pid, signal);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  if (error instanceof Refusal) say(error.message);
  else if (error.code === "EACCES" || error.code === "EROFS")
    say(`${error.path ?? ROOT} cannot be written: run this as the owner of the clone.`);
  else if (error.code === "ENOSPC") say("The disk is full: free about 1 GB and try again.");
  else throw error;
  process.exit(1);
}
