/**
 * `npm test`: everything that a change must pass, in the order of how fast it says no. With arguments only vitest runs,
 * with these arguments: `npm test services/intake` or `npm test -- -t "a refused answer"`. `npm run check` leaves the
 * tests out; `npm run format` lays out the code.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const RESULTS = path.join(ROOT, ".cache/vitest.json");

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What to do when it fails. */
  readonly remedy: string;
}

const CHECKS: readonly Step[] = [
  { name: "format", command: "oxfmt", args: ["--check"], remedy: "npm run format" },
  { name: "lint", command: "oxlint", args: ["--quiet"], remedy: "mend what is listed" },
  { name: "types", command: "tsc", args: ["--noEmit", "-p", "tsconfig.json"], remedy: "mend what is listed" },
  {
    name: "core is pure",
    command: "tsc",
    args: ["--noEmit", "-p", "packages/core/tsconfig.json"],
    remedy: "core knows neither Node nor the web: hand in what it needs",
  },
  { name: "boundaries", command: "turbo", args: ["boundaries"], remedy: "see turbo.json for who may depend on whom" },
];

const FORMAT: Step = { name: "format", command: "oxfmt", args: [], remedy: "mend what cannot be read" };

const [mode, ...others] = process.argv.slice(2);
const passedOn = process.argv.slice(2);
const vitest: Step = {
  name: "tests",
  command: "vitest",
  args: ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${RESULTS}`, ...passedOn],
  remedy: "npm test <file> runs one file again",
};

fs.rmSync(RESULTS, { force: true });
const failed = chosen().filter((step) => !run(step));
for (const step of failed) process.stderr.write(`\n${step.name}: failed (${step.remedy})\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function chosen(): readonly Step[] {
  if (mode === "--static") return CHECKS;
  if (mode === "--format") return [{ ...FORMAT, args: others }];
  return passedOn.length > 0 ? [vitest] : [...CHECKS, vitest];
}

/** Whether the step passed. Its output is shown when it did not; the tests' always. */
function run(step: Step): boolean {
  const startedMs = Date.now();
  const shown = step === vitest;
  const result = spawnSync(path.join(ROOT, "node_modules/.bin", step.command), step.args, {
    cwd: ROOT,
    stdio: shown ? "inherit" : ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
  });
  const passed = result.status === 0;
  if (!shown && !passed) process.stdout.write(`${result.stdout}${result.stderr}`);
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${passed ? "ok    " : "FAILED"} ${step.name} (${seconds} s)\n`);
  return passed;
}
