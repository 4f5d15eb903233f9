import path from "node:path";
import { describe, expect, it } from "vitest";
import { importsOf, sourceFiles, units, type SourceFile } from "./source.ts";

/** Which of our packages the production code of each may import. The whole dependency direction of the system. */
const CORE = ["core"];
const BASE = ["core", "contracts"];
const ALL_PACKAGES = [...BASE, "catalog", "validators", "providers", "db", "ledger", "queue", "runtime", "sandbox"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "packages/core": [],
  "packages/contracts": CORE,
  "packages/catalog": BASE,
  "packages/validators": BASE,
  "packages/providers": BASE,
  "packages/simulator": CORE,
  "packages/db": CORE,
  "packages/ledger": ["core", "db"],
  "packages/queue": BASE,
  "packages/runtime": BASE,
  "packages/sandbox": [...BASE, "validators", "runtime"],
  "packages/embedded": BASE,
  "packages/testkit": [...ALL_PACKAGES, "embedded", "simulator"],
  "services/intake": ALL_PACKAGES,
  "services/worker": ALL_PACKAGES,
  "services/validator": ALL_PACKAGES,
  "services/ledger": ALL_PACKAGES,
  infra: [...ALL_PACKAGES, "embedded", "simulator"],
};

const OURS = "@contingent/";

/** What is wrong with one import, or null. */
function fault(file: SourceFile, specifier: string): string | null {
  if (specifier.startsWith(".")) return relativeFault(file, specifier);
  if (!specifier.startsWith(OURS)) return null;
  const [name = "", ...subpath] = specifier.slice(OURS.length).split("/");
  if (name.startsWith("service-")) return "nobody imports a service";
  if (subpath.length === 0) return "imports go to a module of the package (no barrels)";
  if (`packages/${name}` === file.unit) return "a package imports its own files by relative path";
  if (file.isTest) return null;
  return (MAY_IMPORT[file.unit] ?? []).includes(name) ? null : `${file.unit} may not depend on ${name}`;
}

function relativeFault(file: SourceFile, specifier: string): string | null {
  if (!/\.(?:ts|json)$/.test(specifier)) return "own files are imported with their extension";
  const target = path.posix.join(path.posix.dirname(file.path), specifier);
  return target.startsWith(`${file.unit}/`) ? null : "a relative import stays in its package";
}

describe("dependencies point one way", () => {
  it("every package has its line in the table", () => {
    expect(units().filter((unit) => unit !== "test" && MAY_IMPORT[unit] === undefined)).toEqual([]);
  });

  it("every import is one that the table allows", () => {
    const faults = sourceFiles().flatMap((file) =>
      importsOf(file).flatMap((specifier) => {
        const why = fault(file, specifier);
        return why === null ? [] : [`${file.path} imports ${specifier}: ${why}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it.each([
    ["packages/core/src/x.ts", "@contingent/db/pool", "packages/core may not depend on db"],
    ["services/worker/src/main.ts", "@contingent/service-intake/main", "nobody imports a service"],
    ["services/worker/src/main.ts", "@contingent/testkit/system", "services/worker may not depend on testkit"],
    ["services/worker/src/main.ts", "../../intake/src/app.ts", "a relative import stays in its package"],
    ["packages/db/src/x.ts", "@contingent/core", "imports go to a module of the package (no barrels)"],
  ])("in %s an import of %s is refused", (file, specifier, why) => {
    const unit = file.split("/").slice(0, 2).join("/");
    expect(fault({ path: file, unit, text: "", isTest: false }, specifier)).toBe(why);
  });

  it("the parser sees every way to import", () => {
    const text = 'import a from "a"; import type { B } from "b"; export { c } from "c"; const d = await import("d");';
    expect(importsOf({ path: "x.ts", unit: "x", text, isTest: false })).toEqual(["a", "b", "c", "d"]);
  });
});
