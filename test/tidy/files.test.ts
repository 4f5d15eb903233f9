import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, ROOT, sourceFiles, units, type SourceFile } from "./source.ts";

const LINES_MAX = 400;

/** Paths and line numbers at which production code matches. */
function matches(pattern: RegExp, isExempt: (file: SourceFile) => boolean): readonly string[] {
  return sourceFiles()
    .filter((file) => !file.isTest && !isExempt(file))
    .flatMap((file) =>
      file.text
        .split("\n")
        .flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

/** Whether the file lies in one of these folders or is one of these files. */
function within(...places: readonly string[]): (file: SourceFile) => boolean {
  return (file) => places.some((place) => file.path === place || file.path.startsWith(`${place}/`));
}

describe("each thing has one place", () => {
  it("SQL stands in db and ledger only", () => {
    const sql = /\b(?:SELECT\s.+\sFROM\s|INSERT INTO\s|UPDATE\s\w+\sSET\s|DELETE FROM\s|CREATE (?:TABLE|INDEX)\s)/;
    // The two that make and drop whole databases speak SQL to the server, and the transport to BullMQ's schema: not to ours.
    const administrators = ["packages/embedded/src/postgres.ts", "packages/testkit/src/postgres.ts"];
    const others = [...administrators, "packages/queue/src/transport-postgres.ts"];
    expect(matches(sql, within("packages/db", "packages/ledger", ...others))).toEqual([]);
  });

  it("queue names are made in contracts/messages only", () => {
    expect(
      matches(/`attempt\.\$\{|["'`]attempt\.(?:fast|standard|premium)["'`]/, within("packages/contracts/src/messages")),
    ).toEqual([]);
  });

  it("amounts of money are made in core/money only", () => {
    expect(matches(/\bas Nanos\b/, within("packages/core/src/money.ts"))).toEqual([]);
  });

  it("no file re-exports a whole other file", () => {
    expect(matches(/^export \* from/, () => false)).toEqual([]);
    expect(sourceFiles().filter((file) => path.basename(file.path) === "index.ts")).toEqual([]);
  });
});

describe("files stay readable", () => {
  it(`no file is longer than ${LINES_MAX} lines`, () => {
    const long = [...sourceFiles(), ...sqlFiles()].filter((file) => file.text.split("\n").length > LINES_MAX + 1);
    expect(long.map((file) => file.path)).toEqual([]);
  });

  it("every package and service explains itself in a README of at most one screen", () => {
    const faults = units()
      .filter((unit) => unit !== "test")
      .flatMap((unit) => readmeFault(unit));
    expect(faults).toEqual([]);
  });
});

describe("no check is switched off", () => {
  it("neither the compiler's nor the linter's", () => {
    expect(matches(/@ts-(?:ignore|expect-error|nocheck)|(?:oxlint|eslint)-disable/, () => false)).toEqual([]);
  });
});

const README_LINES_MAX = 80;
const README_PARTS = ["owns", "does not own", "invariants", "bounds", "fails when"];

function readmeFault(unit: string): readonly string[] {
  const file = path.join(ROOT, unit, "README.md");
  if (!fs.existsSync(file)) return [`${unit} has no README.md`];
  const text = fs.readFileSync(file, "utf8").toLowerCase();
  const missing = README_PARTS.filter((part) => !text.includes(part));
  if (missing.length > 0) return [`${unit}/README.md does not say: ${missing.join(", ")}`];
  return text.split("\n").length > README_LINES_MAX
    ? [`${unit}/README.md is longer than ${README_LINES_MAX} lines`]
    : [];
}

function sqlFiles(): readonly { path: string; text: string }[] {
  return filesUnder("packages")
    .filter((file) => file.endsWith(".sql"))
    .map((file) => ({ path: file, text: fs.readFileSync(path.join(ROOT, file), "utf8") }));
}
