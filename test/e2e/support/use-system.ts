/** One system for all tests of a file: it starts once, and after every test its books must be sound. */
import { startSystem, type System, type SystemOptions } from "@contingent/testkit/system";
import { REDIS_URL } from "@contingent/testkit/servers";
import type { TransportName } from "@contingent/testkit/transports";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { expectSoundBooks } from "./books.ts";

export type GetSystem = () => System;

/** Lost messages and lost leases are noticed this soon, so that tests need not wait for what production waits for. */
const SWEEP_INTERVAL_MS = "50";

export interface Expectations {
  /** Nothing is broken on purpose, so that no service has any error to report. */
  readonly withoutErrors?: boolean;
}

/** Returns how to get at the system from within a test. The options are asked for when it starts. */
export function useSystem(optionsNow: () => SystemOptions, { withoutErrors = false }: Expectations = {}): GetSystem {
  let system: System | undefined;
  let failures = 0;
  beforeAll(async () => {
    const options = optionsNow();
    system = await startSystem({ ...options, env: { SWEEP_INTERVAL_MS, ...options.env } });
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") failures += 1;
    if (system !== undefined) await expectSoundBooks(system);
  });
  afterAll(async () => {
    if (system === undefined) return;
    const errors = complaintsOf(system, /"level":"(error|fatal)"/);
    if (failures > 0) process.stderr.write(`${complaintsOf(system, /"level":"(warn|error|fatal)"/).join("\n")}\n`);
    await system.stop();
    if (withoutErrors) expect(errors, "errors that services have logged").toEqual([]);
  });
  return () => {
    if (system === undefined) throw new Error("the system has not been started");
    return system;
  };
}

/** A group of tests on one transport; skipped where a test run has no Redis (which the run says loudly). */
export function describeOn(transport: TransportName, promise: string, body: () => void): void {
  const missing = transport === "redis" && process.env[REDIS_URL] === undefined;
  describe.skipIf(missing)(`${promise} (on ${transport})`, body);
}

const LINES_SHOWN = 40;

/** What the services complained about, for whoever looks into a failure. */
function complaintsOf(system: System, level: RegExp): readonly string[] {
  return system.processes().flatMap(({ name }) => {
    const lines = system.log(name).split("\n");
    return lines.filter((line) => level.test(line)).slice(-LINES_SHOWN);
  });
}
