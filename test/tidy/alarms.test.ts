import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, sourceFiles } from "./source.ts";

interface LogLine {
  readonly level: string;
  readonly text: string;
}

/** What services log, as far as its text is written where it is logged. */
function logged(): readonly LogLine[] {
  return sourceFiles()
    .filter(({ path: file, isTest }) => !isTest && /^(?:packages|services)\/[^/]+\/src\//.test(file))
    .flatMap(({ text }) => [...text.matchAll(/\blog\.(error|warn)\(/gi)].flatMap((call) => lineOf(text, call)));
}

function lineOf(source: string, call: RegExpExecArray): readonly LogLine[] {
  const [called, level = ""] = call;
  const text = /"([^"]+)",?\s*$/.exec(argumentsFrom(source, call.index + called.length))?.[1];
  return text === undefined ? [] : [{ level, text }];
}

/** Up to where the parenthesis closes. */
function argumentsFrom(source: string, start: number): string {
  let depth = 1;
  let end = start;
  for (; depth > 0 && end < source.length; end += 1) depth += { "(": 1, ")": -1 }[source.charAt(end)] ?? 0;
  return source.slice(start, end - 1);
}

/** The lines of the log that the table of alarms names, at the level that it says. */
function documented(): readonly LogLine[] {
  const text = fs.readFileSync(path.join(ROOT, "docs/operations.md"), "utf8");
  const table = text.split("## What alarms mean")[1]?.split("\n## ")[0] ?? "";
  const cells = [...table.matchAll(/^\| (.+?) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => {
    const level = cell.includes("(warn)") ? "warn" : "error";
    // Metrics have no spaces; what commands print and what the API answers is not logged.
    return [...cell.matchAll(/`([^`]*)`/g)]
      .map(([, text = ""]) => ({ level, text }))
      .filter((line) => /^(?!BROKEN|\d).* /.test(line.text));
  });
}

describe("the table of alarms", () => {
  const lines = logged();
  const known = documented();

  it("names lines that are logged, at their level", () => {
    expect(lines.length).toBeGreaterThan(30);
    expect(known.length).toBeGreaterThan(15);
    const unknown = known.filter(
      ({ level, text }) => !lines.some((line) => line.level === level && line.text.startsWith(text)),
    );
    expect(unknown).toEqual([]);
  });

  it("has every line that is logged as an error", () => {
    const untold = lines.filter(
      ({ level, text }) => level === "error" && !known.some((line) => text.startsWith(line.text)),
    );
    expect(untold).toEqual([]);
  });
});
