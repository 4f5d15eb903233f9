import { createLog } from "@contingent/runtime/log";
import { expect, test } from "vitest";
import { openSandbox, type SandboxSettings } from "./sandbox.ts";

/** What a service says when it opens its sandbox. */
async function warningsOf(settings: SandboxSettings): Promise<readonly string[]> {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const sandbox = await openSandbox(settings, createLog({ service: "s", instance: "i", level: "info", destination }));
  await sandbox.close();
  return lines.filter((line) => line.includes('"level":"warn"'));
}

test("a service in production without a sandbox of its own container says so, and how to change it", async () => {
  const [warning, ...rest] = await warningsOf({ CONTINGENT_ENV: "production" });
  expect(warning).toContain("SANDBOX_SOCKET is not set");
  expect(rest).toEqual([]);
  expect(await warningsOf({ CONTINGENT_ENV: "development" })).toEqual([]);
  expect(await warningsOf({ CONTINGENT_ENV: "production", SANDBOX_SOCKET: "/run/x.sock" })).toEqual([]);
});
