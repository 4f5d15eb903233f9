/**
 * Breaks the books on purpose, one thing at a time, in a copy of the repository, and looks who notices: the runs against
 * the reference, or the tests of examples. `node test/property/books/mutants.ts runs|examples [name …]`; the table that it
 * prints stands in README.md. It takes up to half a minute for each, so it is not part of `npm test`.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Mutant, MUTANTS } from "./mutant-list.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
/** Enough runs that a mutant which only shows now and then is not called dead by luck alone. */
const RUNS = "50";
const SEED = "1";
const RUNS_TESTS = ["test/property/books"];
/** Those that look at the same things; not all there are, for each mutant runs all of them. */
const EXAMPLES = [
  ...["books", "job", "pricing", "statement", "money"].map((each) => `packages/core/src/${each}`),
  ...["accept", "charge", "closed", "dispute", "late", "prepaid", "statement"].map((each) => `test/ledger/${each}`),
];

interface Verdict {
  readonly isNoticed: boolean;
  /** By which test, and what it said first. */
  readonly by: string;
}

interface Report {
  readonly numTotalTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const [kind = "runs", ...chosen] = process.argv.slice(2);
const copy = fs.mkdtempSync(path.join(os.tmpdir(), "mutants-"));
fs.chmodSync(copy, 0o755);
try {
  copyTo(copy);
  if (judge("no mutation", null).isNoticed) throw new Error("the tests fail without a mutation");
  const mutants = MUTANTS.filter(({ name }) => chosen.length === 0 || chosen.some((each) => name.includes(each)));
  const survivors = mutants.filter((mutant) => !judge(mutant.name, mutant).isNoticed);
  process.stdout.write(`\n${mutants.length - survivors.length} of ${mutants.length} mutants were noticed\n`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  fs.rmSync(copy, { recursive: true, force: true });
}

/** The tracked files and those about to be; packages by links: to the copy where they are ours, else to the original's. */
function copyTo(target: string): void {
  const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of listed.stdout.split("\n").filter((line) => line !== "" && fs.existsSync(path.join(ROOT, line)))) {
    fs.mkdirSync(path.join(target, path.dirname(file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(target, file));
  }
  const units = ["packages", "services"].flatMap((folder) =>
    fs.readdirSync(path.join(ROOT, folder)).map((name) => path.join(folder, name)),
  );
  for (const unit of [".", "infra", "test", ...units]) link(unit, target);
}

function link(unit: string, target: string): void {
  const from = path.join(ROOT, unit, "node_modules");
  if (!fs.existsSync(from)) return;
  const to = path.join(target, unit, "node_modules");
  for (const name of fs.readdirSync(from).flatMap((each) => (each.startsWith("@") ? scoped(from, each) : [each]))) {
    const real = fs.realpathSync(path.join(from, name));
    const isOurs = !path.relative(ROOT, real).startsWith("..") && !real.includes("node_modules");
    fs.mkdirSync(path.dirname(path.join(to, name)), { recursive: true });
    fs.symlinkSync(isOurs ? path.join(target, path.relative(ROOT, real)) : real, path.join(to, name));
  }
}

function scoped(folder: string, scope: string): readonly string[] {
  return fs.readdirSync(path.join(folder, scope)).map((name) => path.join(scope, name));
}

/** Mutates, lets the tests look, undoes it, and prints a line of the table. */
function judge(name: string, mutant: Mutant | null): Verdict {
  const file = mutant === null ? null : path.join(copy, mutant.file);
  const text = file === null ? "" : fs.readFileSync(file, "utf8");
  if (mutant !== null && file !== null) {
    const places = text.split(mutant.from).length - 1;
    if (places !== 1) throw new Error(`${name}: its text stands ${places} times in ${mutant.file}`);
    fs.writeFileSync(
      file,
      text.replace(mutant.from, () => mutant.to),
    );
  }
  try {
    const verdict = kind === "examples" ? tested([...EXAMPLES, "--bail=1"]) : tested(RUNS_TESTS);
    process.stdout.write(`| ${name} | \`${mutant?.file ?? ""}\` | ${verdict.isNoticed ? verdict.by : "—"} |\n`);
    return verdict;
  } finally {
    if (file !== null) fs.writeFileSync(file, text);
  }
}

function tested(what: readonly string[]): Verdict {
  const output = path.join(copy, "report.json");
  fs.rmSync(output, { force: true });
  spawnSync("node_modules/.bin/vitest", ["run", ...what, "--reporter=json", `--outputFile=${output}`], {
    cwd: copy,
    env: { ...process.env, RUNS, FC_SEED: SEED, SHRINKING_MS: "0" },
  });
  const report = JSON.parse(fs.readFileSync(output, "utf8")) as Report;
  if (report.success && report.numTotalTests > 0) return { isNoticed: false, by: "" };
  const failed = report.testResults.flatMap(({ name, message, assertionResults }) => {
    const first = assertionResults.find(({ status }) => status === "failed");
    if (first === undefined) return message === "" ? [] : [{ name, title: "", said: message }];
    return [{ name, title: first.title, said: first.failureMessages[0] ?? "" }];
  });
  const [first] = failed;
  if (first === undefined) return { isNoticed: true, by: "no test ran" };
  if (kind === "runs") return { isNoticed: true, by: inShort(first.said) };
  return { isNoticed: true, by: `${path.basename(first.name)}: ${first.title}` };
}

/** What the first failing run said: what differs, in one line. */
function inShort(said: string): string {
  const line = /RunFailed: (.+)/.exec(said)?.[1] ?? /invariant \d+: .+/.exec(said)?.[0] ?? said.split("\n")[0] ?? "";
  return line
    .replace(/^\w*[Ee]rror(?: \[\w+\])?: /, "")
    .replaceAll(/\b([a-z]{3})_[0-9a-z]{10,}/g, "$1_…")
    .replaceAll("|", "/")
    .slice(0, 110);
}
