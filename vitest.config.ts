import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** A file under test may run a database's worth of processes: more at once would starve each other. */
const WORKERS_MAX = 3;
/** These run a whole system of nine processes each, and some take its parts away at instants that matter: one at a time. */
const WHOLE_SYSTEMS = ["test/{e2e,property,trace}/**/*.test.ts", "infra/test/**/*.test.ts"];
/** Mostly they wait: for leases to end, for messages to come again. So both transports at once. */
const HAZARDS = ["test/{fault,queue}/**/*.test.ts"];
const HAZARDS_AT_ONCE = 2;

const EVERY_PROJECT = {
  setupFiles: process.env["CI"] === "true" ? ["packages/testkit/src/fixed-seed.ts"] : [],
  /**
   * A worker loads what the files have in common once: loading it again for each took longer than most files do. So a test
   * takes back what it changes in its process.
   */
  isolate: false,
};

/**
 * Four projects. `unit` is pure and needs nothing. `integration` gets one Postgres server for the whole run (and a Redis,
 * where there is one): every test that asks takes a database of its own, cloned from a migrated template. `system` gets the
 * same, and runs afterwards, a file at a time. `faults` breaks whole systems on servers of their own, last of all.
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
          ...EVERY_PROJECT,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["{packages,services}/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/{simulation,tidy}/**", "test/bench/**", "**/node_modules/**", ...WHOLE_SYSTEMS, ...HAZARDS],
          ...EVERY_PROJECT,
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
          ...EVERY_PROJECT,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "faults",
          include: HAZARDS,
          maxWorkers: HAZARDS_AT_ONCE,
          sequence: { groupOrder: 2 },
          ...EVERY_PROJECT,
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          // They wait for as long as anything moves, however slow the machine.
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
