/**
 * Breaking the product on purpose, one thing at a time, in a copy of the repository, to see who notices. What is broken is a
 * text of one file that is replaced; who looks is some part of the tests.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The first test that failed. */
export interface Noticed {
  readonly file: string;
  readonly title: string;
  /** What it said. */
  readonly said: string;
}

export interface Copy extends Disposable {
  /** Runs vitest with these arguments, with the mutant in place. @returns null: nobody noticed */
  look(mutant: Mutant | null, args: readonly string[], env?: Readonly<Record<string, string>>): Noticed | null;
}

interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
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

/** A copy of the repository as it is now. */
export function copyOfRepository(): Copy {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mutants-"));
  fs.chmodSync(folder, 0o755);
  copyTo(folder);
  return {
    look(mutant, args, env = {}) {
      const undo = mutant === null ? () => undefined : mutate(folder, mutant);
      try {
        return tested(folder, args, env);
      } finally {
        undo();
      }
    },
    [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** @returns how to undo it */
function mutate(folder: string, { name, file, from, to }: Mutant): () => void {
  const place = path.join(folder, file);
  const text = fs.readFileSync(place, "utf8");
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`${name}: its text stands ${places} times in ${file}`);
  fs.writeFileSync(
    place,
    text.replace(from, () => to),
  );
  return () => fs.writeFileSync(place, text);
}

function tested(folder: string, args: readonly string[], env: Readonly<Record<string, string>>): Noticed | null {
  const output = path.join(folder, "report.json");
  fs.rmSync(output, { force: true });
  spawnSync("node_modules/.bin/vitest", ["run", ...args, "--reporter=json", `--outputFile=${output}`], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  const report = JSON.parse(fs.readFileSync(output, "utf8")) as Report;
  if (report.success && report.numPassedTests > 0) return null;
  const failed = report.testResults.flatMap(({ name, message, assertionResults }) => {
    const first = assertionResults.find(({ status }) => status === "failed");
    if (first === undefined) return message === "" ? [] : [{ file: name, title: "", said: message }];
    return [{ file: name, title: first.title, said: first.failureMessages[0] ?? "" }];
  });
  return failed[0] ?? { file: "", title: "no test ran", said: "" };
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
