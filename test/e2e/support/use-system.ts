/** One system for all tests of a file: it starts once, and after every test its books must be sound. */
import { startSystem, type System, type SystemOptions } from "@contingent/testkit/system";
import { REDIS_URL } from "@contingent/testkit/servers";
import type { TransportName } from "@contingent/testkit/transports";
import { afterAll, afterEach, beforeAll, describe } from "vitest";
import { expectSoundBooks } from "./books.ts";

export type GetSystem = () => System;

/** Lost messages and lost leases are noticed this soon, so that tests need not wait for what production waits for. */
const SWEEP_INTERVAL_MS = "50";

/** Returns how to get at the system from within a test. The options are asked for when it starts. */
export function useSystem(optionsNow: () => SystemOptions): GetSystem {
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
    if (system !== undefined && failures > 0) showComplaints(system);
    await system?.stop();
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
function showComplaints(system: System): void {
  for (const { name } of system.processes()) {
    const lines = system.log(name).split("\n");
    const complaints = lines.filter((line) => /"level":"(warn|error|fatal)"/.test(line));
    if (complaints.length > 0) process.stderr.write(`${name}:\n${complaints.slice(-LINES_SHOWN).join("\n")}\n`);
  }
}
