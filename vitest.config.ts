import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A file under test may run a database's worth of processes: more at once would starve each other. */
const WORKERS_MAX = 3;
/** These run a whole system of nine processes each, and some take its parts away at instants that matter: one at a time. */
const WHOLE_SYSTEMS = ["test/{e2e,fault,property,queue,trace}/**/*.test.ts", "infra/test/**/*.test.ts"];

const setupFiles = process.env["CI"] === "true" ? ["packages/testkit/src/fixed-seed.ts"] : [];

/**
 * Three projects. `unit` is pure and needs nothing. `integration` gets one Postgres server for the whole run (and a Redis,
 * where there is one): every test that asks takes a database of its own, cloned from a migrated template. `system` gets the
 * same, and runs afterwards, a file at a time.
 */
export default defineConfig({
  test: {
    maxWorkers: Math.max(1, Math.min(WORKERS_MAX, availableParallelism())),
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "{packages,services}/*/src/**/*.test.ts",
            "infra/local/**/*.test.ts",
            "test/{simulation,tidy}/**/*.test.ts",
          ],
          setupFiles,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{packages,services}/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/{simulation,tidy}/**", "test/bench/**", "**/node_modules/**", ...WHOLE_SYSTEMS],
          setupFiles,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "system",
          include: WHOLE_SYSTEMS,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          setupFiles,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
