import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A file under test may run a whole system of nine processes with a hundred database connections: more at once would starve each other. Two on two cores wait for each other's processes less than one alone leaves idle: 8 minutes instead of 9.5. */
const WORKERS_MAX = 3;

const setupFiles = process.env["CI"] === "true" ? ["packages/testkit/src/fixed-seed.ts"] : [];

/**
 * Two projects. `unit` is pure and needs nothing. `integration` gets one Postgres server for the whole run (and a Redis,
 * where there is one): every test that asks takes a database of its own, cloned from a migrated template.
 */
export default defineConfig({
  test: {
    maxWorkers: Math.max(1, Math.min(WORKERS_MAX, availableParallelism())),
    projects: [
      {
        test: {
          name: "unit",
          include: ["{packages,services}/*/src/**/*.test.ts", "infra/local/**/*.test.ts", "test/tidy/**/*.test.ts"],
          setupFiles,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{packages,services}/*/test/**/*.test.ts", "infra/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/tidy/**", "test/bench/**", "**/node_modules/**"],
          setupFiles,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
