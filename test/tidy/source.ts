/** The repository's own source, as the tidy tests look at it. */
import fs from "node:fs";
import path from "node:path";
import { parseSync } from "oxc-parser";

export const ROOT = path.resolve(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  /** `packages/core`, `services/intake`, `infra`, `test`. */
  readonly unit: string;
  readonly text: string;
  /** Tests, their fixtures and everything under a test folder: what never runs in production. */
  readonly isTest: boolean;
}

const SKIPPED = new Set(["node_modules", ".cache", ".contingent", ".turbo", ".git"]);

/** Every TypeScript file of the workspace. */
export function sourceFiles(): readonly SourceFile[] {
  return ["packages", "services", "infra", "test"].flatMap((folder) =>
    filesUnder(folder)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => ({
        path: file,
        unit: unitOf(file),
        text: fs.readFileSync(path.join(ROOT, file), "utf8"),
        isTest: isTestPath(file),
      })),
  );
}

/** Every package and service, as paths. */
export function units(): readonly string[] {
  const children = (folder: string): string[] =>
    fs
      .readdirSync(path.join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name))
      .map((entry) => `${folder}/${entry.name}`);
  return [...children("packages"), ...children("services"), "infra", "test"];
}

/** Paths of all files below a folder, from the root. */
export function filesUnder(folder: string): readonly string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const file = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(file) : [file];
  });
}

function unitOf(file: string): string {
  const [first = "", second = ""] = file.split("/");
  return first === "packages" || first === "services" ? `${first}/${second}` : first;
}

function isTestPath(file: string): boolean {
  return /\.(?:test|fixture)\.ts$/.test(file) || /^test\/|\/test\//.test(file);
}

/** What a file imports or exports from, with `import type` and dynamic imports of constant text. */
export function importsOf(file: SourceFile): readonly string[] {
  const { module } = parseSync(file.path, file.text);
  const dynamic = module.dynamicImports.map((found) =>
    /^["'`]([^"'`$]+)["'`]$/.exec(file.text.slice(found.moduleRequest.start, found.moduleRequest.end)),
  );
  return [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) =>
      found.entries.flatMap((entry) => (entry.moduleRequest === null ? [] : [entry.moduleRequest.value])),
    ),
    ...dynamic.flatMap((found) => (found?.[1] === undefined ? [] : [found[1]])),
  ];
}
