import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { armFailpoints, failpoint, parseFailpoints } from "./failpoints.ts";
import { createLog } from "./log.ts";

let lines = "";
const destination = {
  write(line: string): void {
    lines += line;
  },
};
const log = createLog({ service: "test", instance: "test-1", level: "info", destination });

function arm(text: string, env: Record<string, string> = {}): void {
  lines = "";
  armFailpoints({ FAILPOINTS: text, ...env }, log);
}

describe("failpoints", () => {
  afterEach(() => {
    arm("");
  });

  it("do nothing when none is armed", () => {
    expect(failpoint("worker.answered")).toBeUndefined();
  });

  it("throw where they are told to, and nowhere else", async () => {
    arm("worker.answered=throw");
    await expect(failpoint("worker.answered")).rejects.toThrow("failpoint worker.answered");
    await expect(failpoint("worker.claimed")).resolves.toBeUndefined();
    expect(lines).toContain('"failpoint":"worker.answered"');
  });

  it("act the n-th time only, where that is said", async () => {
    arm("worker.answered@2=throw");
    await expect(failpoint("worker.answered")).resolves.toBeUndefined();
    await expect(failpoint("worker.answered")).rejects.toThrow("failpoint");
    await expect(failpoint("worker.answered")).resolves.toBeUndefined();
  });

  it("pause until the file appears", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "failpoint-"));
    const file = path.join(folder, "go");
    arm(`worker.claimed=pause:${file}`);
    let passed = false;
    const paused = failpoint("worker.claimed")?.then(() => {
      passed = true;
      return passed;
    });
    expect(lines).toContain('"action":"pause"');
    expect(passed).toBe(false);
    writeFileSync(file, "");
    await expect(paused).resolves.toBe(true);
    rmSync(folder, { recursive: true });
  });

  it("block the whole process until the file appears", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "failpoint-"));
    const file = path.join(folder, "go");
    arm(`worker.claimed=block:${file}`);
    // Somebody else makes the file: this process can do nothing meanwhile.
    spawn("touch", [file], { stdio: "ignore" });
    const blocked = failpoint("worker.claimed");
    expect(existsSync(file)).toBe(true);
    await blocked;
    rmSync(folder, { recursive: true });
  });

  it("of a file act as it says now, from the first time on when its text changes", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "failpoint-"));
    const file = path.join(folder, "points");
    arm(`@${file}`);
    await expect(failpoint("worker.answered")).resolves.toBeUndefined();
    for (const text of ["worker.answered@1=throw", "worker.answered@1=throw;"]) {
      writeFileSync(file, text);
      await expect(failpoint("worker.answered")).rejects.toThrow("failpoint worker.answered");
      await expect(failpoint("worker.answered")).resolves.toBeUndefined();
    }
    rmSync(folder, { recursive: true });
    await expect(failpoint("worker.answered")).resolves.toBeUndefined();
  });

  it("are refused in production", () => {
    expect(() => arm("worker.answered=exit", { NODE_ENV: "production" })).toThrow("FAILPOINTS must not be set");
  });

  it.each(["worker.answered", "worker.answered=explode", "=exit", "worker.answered=pause", "worker.answered@0=exit"])(
    "the setting %j is refused with what to write",
    (text) => {
      expect(() => parseFailpoints(text)).toThrow("write name=exit");
    },
  );

  it("can be several", () => {
    expect([...parseFailpoints("worker.answered=exit; validator.judged@3=throw;").keys()]).toEqual([
      "worker.answered",
      "validator.judged",
    ]);
  });
});
