/** Hazard: a deployment that trusts what any client says of its own address. */
import { readConfig } from "@contingent/runtime/config";
import { describe, expect, test } from "vitest";
import { intakeSettings } from "../config.ts";
import { limitsOf } from "./settings.ts";

const REQUIRED = { DATABASE_URL: "postgres://db", QUEUE_URL: "postgres://db" };
const limits = (env: Record<string, string>): ReturnType<typeof limitsOf> =>
  limitsOf(readConfig(intakeSettings, { ...REQUIRED, ...env }));

describe("proxies", () => {
  test.each([
    [{}, false],
    [{ TRUST_PROXY: "2" }, 2],
    [{ TRUST_PROXY: "10.0.0.0/8, loopback" }, ["10.0.0.0/8", "loopback"]],
  ])("are trusted only as told: %j", (env, expected) => {
    expect(limits(env).trustProxy).toEqual(expected);
  });

  test.each(["true", "everybody", "10.0.0.0/99", "-1", "10.0.0.1,"])("TRUST_PROXY=%s is refused", (text) => {
    expect(() => limits({ TRUST_PROXY: text })).toThrow("TRUST_PROXY");
  });
});

test("limits are on unless switched off, and then only those that a gateway can take over", () => {
  expect(limits({}).requests).not.toBeNull();
  expect(limits({}).byDeadline).toBe(true);
  expect(limits({ LIMITS: "off", OPEN_JOBS_MAX: "7" })).toMatchObject({
    requests: null,
    byDeadline: false,
    openJobsMax: 7,
  });
});
