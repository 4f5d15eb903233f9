/** Hazard: a service that talks to the database with the rights of whoever logged it in, and so could post by itself. */
import fs from "node:fs";
import path from "node:path";
import { SERVICES } from "@contingent/embedded/services";
import { describe, expect, test } from "vitest";
import { ROOT } from "./source.ts";

describe("every service refuses to start where it would be unsafe with real customers", () => {
  test.each(Object.entries(SERVICES))("%s", (_, { entry }) => {
    expect(fs.readFileSync(path.join(ROOT, entry), "utf8")).toContain(
      "await refuseUnsafe(config, () => databaseSafety(pool));",
    );
  });
});

describe("every service acts as the role that cannot write the books", () => {
  test.each(Object.entries(SERVICES))("%s", (_, { entry }) => {
    const pools = fs.readFileSync(path.join(ROOT, entry), "utf8").match(/openPool\([\s\S]*?\}\)/g) ?? [];
    expect(pools.length).toBeGreaterThan(0);
    for (const pool of pools) expect(pool).toMatch(/role: (SERVICE|TENANT)_ROLE/);
  });
});
